/** The changes that validation makes to a configuration. */
import type { Config, Device } from "../../src/schema/config.ts";

/** The parts of a configuration in the order in which they are validated. */
const ORDER = [
  "payload",
  "cpus",
  "rate_limit_groups",
  "disks",
  "net",
  "fs",
  "generic_vhost_user",
  "pmem",
  "rng",
  "rtc",
  "console",
  "memory",
  "user_devices",
  "vdpa",
  "balloon",
  "devices",
  "vsock",
  "numa",
  "pci_segments",
  "platform",
] as const;

/**
 * Drops the command line and the initramfs of a firmware, and turns the virtual
 * IOMMU on if a device is behind it.
 *
 * @param brokenPath The path at which the first broken rule ended the
 * validation.
 */
export function applyValidation(config: Config, brokenPath?: string): void {
  const [, broken, index] = /^(\w+)(?:\[(\d+)\])?/.exec(brokenPath ?? "") ?? [];
  for (const part of ORDER) {
    const ended = part === broken;
    if (part === "payload") {
      if (!ended) dropUnused(config);
    } else if (part === "platform") {
      config.iommu ||= !ended && config.platform?.iommu_segments !== undefined;
    } else {
      const items = [config[part] ?? []].flat() as Device[];
      const valid = ended ? items.slice(0, Number(index ?? 0)) : items;
      config.iommu ||= valid.some(({ iommu }) => iommu === true);
    }
    if (ended) return;
  }
}

function dropUnused({ payload }: Config): void {
  if (payload?.firmware === undefined) return;
  delete payload.cmdline;
  delete payload.initramfs;
}
