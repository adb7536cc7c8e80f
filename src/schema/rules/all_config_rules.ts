/** All rules of a configuration, in the order in which the VMM checks them. */
import type { Config, Device } from "../config.ts";
import { balloonSize } from "./balloon.ts";
import { consoleViolations } from "./console.ts";
import { RuleContext } from "./context.ts";
import { cpus, topology } from "./cpus.ts";
import { disk } from "./disks.ts";
import { Ids } from "./ids.ts";
import { ivshmem } from "./ivshmem.ts";
import { landlock } from "./landlock.ts";
import { memory, zone } from "./memory.ts";
import { net } from "./net.ts";
import { nodeViolations } from "./numa.ts";
import { payloadViolations } from "./payload.ts";
import { anyDevice } from "./pci.ts";
import { pciSegment } from "./pci_segments.ts";
import { platform } from "./platform.ts";
import { rateLimitGroup } from "./rate_limits.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";
import { duplicates, vfio } from "./vfio.ts";
import {
  fs,
  genericVhostUser,
  sharedMemoryViolations,
  userDevice,
} from "./vhost_user.ts";
import { cid } from "./vsock.ts";

const USER_DEVICES =
  "Using user devices requires using shared memory or huge pages";

/** The rules that a configuration breaks. */
export function* configViolations(config: Config): Generator<Violation> {
  const context = new RuleContext(config);
  const ids = new Ids();
  const one = function* <Item>(
    item: Item | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    if (item !== undefined) yield* violationsOf(item, rules, path, context);
  };
  const each = function* <Item>(
    items: readonly Item[] | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    for (const [index, item] of (items ?? []).entries()) {
      yield* one(item, rules, `${path}[${index}]`);
    }
  };
  const device = function* <Item extends { id?: string }>(
    item: Item | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    yield* one(item, rules, path);
    yield* ids.add(item?.id, path);
  };
  const devices = function* <Item extends { id?: string }>(
    items: readonly Item[] | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    for (const [index, item] of (items ?? []).entries()) {
      yield* device(item, rules, `${path}[${index}]`);
    }
  };
  const { generic_vhost_user: generic, user_devices: userDevices } = config;
  yield* payloadViolations(config);
  yield* consoleViolations(config);
  yield* one(config.cpus, cpus, "cpus");
  yield* devices(config.rate_limit_groups, rateLimitGroup, "rate_limit_groups");
  yield* devices(config.disks, disk, "disks");
  yield* devices(config.net, net, "net");
  yield* sharedMemoryViolations(config.fs, "fs", context);
  yield* devices(config.fs, fs, "fs");
  yield* sharedMemoryViolations(generic, "generic_vhost_user", context);
  yield* devices(generic, genericVhostUser, "generic_vhost_user");
  yield* devices(config.pmem, anyDevice, "pmem");
  yield* device<Device>(config.rng, anyDevice, "rng");
  yield* device<Device>(config.rtc, anyDevice, "rtc");
  yield* device<Device>(config.console, anyDevice, "console");
  const { topology: parts, max_vcpus } = config.cpus;
  yield* one(parts && { ...parts, max_vcpus }, topology, "cpus.topology");
  yield* one(config.memory, memory, "memory");
  yield* each(config.memory.zones, zone, "memory.zones");
  yield* sharedMemoryViolations(
    userDevices,
    "user_devices",
    context,
    USER_DEVICES,
  );
  yield* devices(userDevices, userDevice, "user_devices");
  yield* devices(config.vdpa, anyDevice, "vdpa");
  yield* one(config.vsock, cid, "vsock");
  yield* device<Device>(config.balloon, anyDevice, "balloon");
  yield* one(config.balloon, balloonSize, "balloon");
  const repeated = duplicates(config.devices);
  for (const [index, item] of (config.devices ?? []).entries()) {
    const path = `devices[${index}]`;
    if (repeated.has(index)) {
      const message = `Duplicated device path: ${item.path}`;
      yield violation(`${path}.path`, message, { kind: "conflict" });
    }
    yield* device(item, vfio, path);
  }
  yield* device<Device>(config.vsock, anyDevice, "vsock");
  yield* nodeViolations(config, context);
  yield* devices(config.memory.zones, [], "memory.zones");
  yield* each(config.pci_segments, pciSegment, "pci_segments");
  yield* one(config.platform, platform, "platform");
  yield* each(config.landlock_rules, landlock, "landlock_rules");
  yield* one(config.ivshmem, ivshmem, "ivshmem");
}
