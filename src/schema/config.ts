/** A whole configuration, and values that the VMM computes from it. */
import type { MemoryConfigInfo, VmConfigInfo } from "../generated/types.gen.ts";

/** A configuration with every default filled in, as `vm.info` returns it. */
export type Config = VmConfigInfo;

/** The members that all devices of lists have. */
export interface Device {
  id?: string;
  iommu?: boolean;
  pci_segment?: number;
  pci_device_id?: number;
}

/**
 * The keys of file descriptors. JSON cannot carry a descriptor, so the VMM
 * ignores the numbers and stores -1 for each.
 */
export const DESCRIPTORS: readonly string[] = ["fd", "fds", "iommufd_fd"];

/** Bytes of RAM at the boot, plus those of virtio-mem. */
export function totalRam(memory: MemoryConfigInfo): bigint {
  let total = BigInt(memory.size);
  for (const zone of memory.zones ?? []) total += BigInt(zone.size);
  return total + hotpluggedRam(memory);
}

/** Bytes of RAM that virtio-mem has plugged in. */
export function hotpluggedRam(memory: MemoryConfigInfo): bigint {
  let total = BigInt(memory.hotplugged_size ?? 0);
  for (const zone of memory.zones ?? []) {
    total += BigInt(zone.hotplugged_size ?? 0);
  }
  return total;
}
