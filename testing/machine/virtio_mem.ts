/** The memory that virtio-mem devices offer. */
import type { Config } from "../../src/schema/config.ts";
import { deviceManagerError } from "./vmm_error.ts";

const ALIGNMENT = 128n << 20n;
const BLOCK = 2n << 20n;

/**
 * Returns the ids of the zones that virtio-mem serves; without zones, of the
 * whole memory.
 *
 * @throws {VmmError} if a size is not aligned.
 */
export function virtioMemZones({ memory }: Config): string[] {
  if (memory.hotplug_method !== "VirtioMem") return [];
  const zones = (memory.zones ?? [{ id: "mem0", ...memory }])
    .filter(({ hotplug_size }) => hotplug_size !== undefined);
  for (const { hotplug_size, hotplugged_size } of zones) {
    if (BigInt(hotplug_size!) % ALIGNMENT !== 0n) {
      throw failed(`Virtio-mem size is not aligned with ${ALIGNMENT}`);
    }
    const plugged = BigInt(hotplugged_size ?? 0);
    if (plugged % BLOCK !== 0n) {
      throw failed(
        `Failed to resize virtio-mem configuration to ${plugged}: ` +
          `ResizeError(new size ${hex(plugged)} is not aligned on block_size ` +
          `${hex(BLOCK)})`,
      );
    }
  }
  return zones.map(({ id }) => id);
}

function failed(message: string): Error {
  return deviceManagerError("Cannot create virtio-mem device", message);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
