/** All rules of a configuration, in the order in which the VMM asks. */
import type { Config, Device } from "../config.ts";
import type { RuleContext } from "./context.ts";
import { cpus, topology } from "./cpus.ts";
import {
  balloonSize,
  cid,
  duplicates,
  ivshmem,
  landlock,
  vfio,
} from "./devices.ts";
import { disk, rateLimitGroup } from "./disks.ts";
import { Ids } from "./ids.ts";
import { memory, zone } from "./memory.ts";
import { net } from "./net.ts";
import { nodeViolations } from "./numa.ts";
import { payloadViolations } from "./payload.ts";
import { anyDevice, pciSegment, platform } from "./pci.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";
import {
  fs,
  genericVhostUser,
  missingZones,
  NO_SHARED_MEMORY,
  userDevice,
} from "./vhost.ts";

/**
 * The rules that a whole configuration breaks. As the VMM does, it also drops
 * what a firmware has no use for, and switches the virtual IOMMU on where a
 * device wants it.
 */
export function* configViolations(
  config: Config,
  around: RuleContext,
): Generator<Violation> {
  const ids = new Ids(around);
  const one = function* <Item>(
    item: Item | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    if (item !== undefined) yield* violationsOf(item, rules, path, around);
  };
  const device = function* <Item extends Device>(
    item: Item | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    if (item === undefined) return;
    yield* violationsOf(item, rules, path, around);
    config.iommu ||= item.iommu === true;
    yield* ids.take(item.id, path);
  };
  const each = function* <Item extends Device>(
    items: readonly Item[] | undefined,
    rules: readonly Rule<Item>[],
    path: string,
  ) {
    for (const [index, item] of (items ?? []).entries()) {
      yield* device(item, rules, `${path}[${index}]`);
    }
  };
  const shared = function* (
    items: readonly unknown[] | undefined,
    path: string,
    message: string,
  ) {
    if (items === undefined || items.length === 0) return;
    yield* missingZones(around);
    if (!around.sharedMemory) yield violation(path, message);
  };
  yield* payloadViolations(config);
  yield* consoleViolations(config);
  yield* one(config.cpus, cpus, "cpus");
  for (const [index, group] of (config.rate_limit_groups ?? []).entries()) {
    const path = `rate_limit_groups[${index}]`;
    yield* violationsOf(group, rateLimitGroup, path, around);
    yield* ids.take(group.id, path);
  }
  yield* each(config.disks, disk, "disks");
  yield* each(config.net, net, "net");
  yield* shared(config.fs, "fs", NO_SHARED_MEMORY);
  yield* each(config.fs, fs, "fs");
  const generic = config.generic_vhost_user;
  yield* shared(generic, "generic_vhost_user", NO_SHARED_MEMORY);
  yield* each(generic, genericVhostUser, "generic_vhost_user");
  yield* each(config.pmem, anyDevice, "pmem");
  yield* device(config.rng, anyDevice, "rng");
  yield* device(config.rtc, anyDevice, "rtc");
  yield* device(config.console, anyDevice, "console");
  const { topology: parts, max_vcpus } = config.cpus;
  yield* one(parts && { ...parts, max_vcpus }, topology, "cpus.topology");
  yield* one(config.memory, memory, "memory");
  for (const [index, item] of (config.memory.zones ?? []).entries()) {
    yield* violationsOf(item, zone, `memory.zones[${index}]`, around);
  }
  const needed =
    "Using user devices requires using shared memory or huge pages";
  yield* shared(config.user_devices, "user_devices", needed);
  yield* each(config.user_devices, userDevice, "user_devices");
  yield* each(config.vdpa, anyDevice, "vdpa");
  yield* one(config.vsock, cid, "vsock");
  yield* device(config.balloon, anyDevice, "balloon");
  yield* one(config.balloon, balloonSize, "balloon");
  const repeated = duplicates(config.devices);
  for (const [index, item] of (config.devices ?? []).entries()) {
    const path = `devices[${index}]`;
    if (repeated.has(index)) {
      const message = `Duplicated device path: ${item.path}`;
      yield violation(`${path}.path`, message, "conflict");
    }
    yield* device(item, vfio, path);
  }
  yield* device(config.vsock, anyDevice, "vsock");
  yield* nodeViolations(config, around);
  for (const [index, { id }] of (config.memory.zones ?? []).entries()) {
    yield* ids.take(id, `memory.zones[${index}]`);
  }
  for (const [index, segment] of (config.pci_segments ?? []).entries()) {
    yield* violationsOf(segment, pciSegment, `pci_segments[${index}]`, around);
  }
  yield* one(config.platform, platform, "platform");
  config.iommu ||= config.platform?.iommu_segments !== undefined;
  for (const [index, item] of (config.landlock_rules ?? []).entries()) {
    yield* violationsOf(item, landlock, `landlock_rules[${index}]`, around);
  }
  yield* one(config.ivshmem, ivshmem, "ivshmem");
}

function* consoleViolations({ console, serial }: Config): Generator<Violation> {
  const modes = Object.entries({ console, serial });
  for (const [name, { mode, file }] of modes) {
    if (mode !== "File" || file !== undefined) continue;
    yield violation(
      `${name}.file`,
      "Path missing when using file console mode",
    );
  }
}
