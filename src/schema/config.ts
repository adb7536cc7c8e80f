/** A whole configuration, and what the VMM computes from it. */
import type { MemoryConfigInfo, VmConfigInfo } from "../generated/types.gen.ts";

/** A configuration with every default filled in, as `vm.info` shows it. */
export type Config = VmConfigInfo;

/** What all devices of lists have, as far as it is the same. */
export interface Device {
  id?: string;
  iommu?: boolean;
  pci_segment: number;
  pci_device_id?: number;
}

/**
 * Fields for file descriptors. They travel beside the JSON, whose values mean
 * nothing; the VMM puts -1 for each.
 */
export const DESCRIPTORS: readonly string[] = ["fd", "fds", "iommufd_fd"];

/** Bytes of RAM: what is booted with, and what is plugged in. */
export function totalRam(memory: MemoryConfigInfo): bigint {
  let total = BigInt(memory.size);
  for (const zone of memory.zones ?? []) total += BigInt(zone.size);
  return total + hotpluggedRam(memory);
}

/** Bytes of RAM that virtio-mem plugs in. */
export function hotpluggedRam(memory: MemoryConfigInfo): bigint {
  let total = BigInt(memory.hotplugged_size ?? 0);
  for (const zone of memory.zones ?? []) {
    total += BigInt(zone.hotplugged_size ?? 0);
  }
  return total;
}
