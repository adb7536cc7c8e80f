/** All rules of a configuration, in the order in which the VMM asks. */
import type { Config, Device } from "../config.ts";
import { cpus, topology } from "./cpus.ts";
import { balloonSize, cid, landlock, vfio } from "./devices.ts";
import { disk, rateLimitGroup } from "./disks.ts";
import { memory, zone } from "./memory.ts";
import { net } from "./net.ts";
import { checkNodes } from "./numa.ts";
import { checkPayload } from "./payload.ts";
import { anyDevice, pciSegment, platform } from "./pci.ts";
import { BrokenRule, type Check, type Rule } from "./rule.ts";
import { fs, genericVhostUser, NO_SHARED_MEMORY, userDevice } from "./vhost.ts";

/**
 * Checks a whole configuration. As the VMM does, it also drops what a firmware
 * has no use for, and switches the virtual IOMMU on where a device wants it.
 *
 * @throws {BrokenRule} for the first rule that is broken.
 */
export function checkConfig(check: Check): void {
  const { config } = check;
  checkPayload(check);
  checkConsoles(config);
  check.hold(cpus, config.cpus);
  for (const group of config.rate_limit_groups ?? []) {
    check.hold(rateLimitGroup, group);
    check.claim(group.id);
  }
  each(check, disk, config.disks);
  each(check, net, config.net);
  shared(check, config.fs, NO_SHARED_MEMORY);
  each(check, fs, config.fs);
  shared(check, config.generic_vhost_user, NO_SHARED_MEMORY);
  each(check, genericVhostUser, config.generic_vhost_user);
  each(check, anyDevice, config.pmem);
  each(check, anyDevice, [config.rng]);
  each(check, anyDevice, config.rtc && [config.rtc]);
  each(check, anyDevice, [config.console]);
  if (config.cpus.topology) check.hold(topology, config.cpus.topology);
  check.hold(memory, config.memory);
  for (const item of config.memory.zones ?? []) check.hold(zone, item);
  shared(
    check,
    config.user_devices,
    "Using user devices requires using shared memory or huge pages",
  );
  each(check, userDevice, config.user_devices);
  each(check, anyDevice, config.vdpa);
  if (config.vsock) check.hold(cid, config.vsock);
  each(check, anyDevice, config.balloon && [config.balloon]);
  if (config.balloon) check.hold(balloonSize, config.balloon);
  checkVfio(check);
  each(check, anyDevice, config.vsock && [config.vsock]);
  checkNodes(check);
  for (const { id } of config.memory.zones ?? []) check.claim(id);
  for (const segment of config.pci_segments ?? []) {
    check.hold(pciSegment, segment);
  }
  if (config.platform) check.hold(platform, config.platform);
  config.iommu ||= config.platform?.iommu_segments !== undefined;
  for (const rule of config.landlock_rules ?? []) check.hold(landlock, rule);
}

/** Holds the rules against each device, and takes its id. */
function each<Item extends Device>(
  check: Check,
  rules: readonly Rule<Item>[],
  devices: readonly Item[] | undefined,
): void {
  for (const device of devices ?? []) {
    check.hold(rules, device);
    check.config.iommu ||= device.iommu === true;
    check.claim(device.id);
  }
}

function shared(
  check: Check,
  devices: readonly unknown[] | undefined,
  message: string,
): void {
  if (devices === undefined || devices.length === 0) return;
  if (!check.sharedMemory) throw new BrokenRule(message);
}

function checkConsoles({ console, serial }: Config): void {
  for (const { mode, file } of [console, serial]) {
    if (mode !== "File" || file !== undefined) continue;
    throw new BrokenRule("Path missing when using file console mode");
  }
}

function checkVfio(check: Check): void {
  const paths = new Set<string>();
  for (const device of check.config.devices ?? []) {
    const { path } = device;
    if (path !== undefined && paths.has(path)) {
      throw new BrokenRule(`Duplicated device path: ${path}`, "conflict");
    }
    if (path !== undefined) paths.add(path);
    each(check, vfio, [device]);
  }
}
