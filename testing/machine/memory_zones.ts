/** Moves memory zones to other NUMA nodes of the host. */
import type { VmMemoryZoneUpdateData } from "../../src/generated/types.gen.ts";
import type { Config } from "../../src/schema/config.ts";

/**
 * Moves memory zones to other NUMA nodes of the host.
 *
 * @returns The error message, or undefined on success.
 */
export function updateZones(
  items: readonly VmMemoryZoneUpdateData[],
  { memory }: Config,
): string | undefined {
  if (items.length === 0) return undefined;
  const zones = structuredClone(memory.zones);
  if (zones === undefined) return "No zones specified in original config";
  for (const { id, host_numa_node } of items) {
    const zone = zones.find((zone) => zone.id === id);
    if (zone === undefined) {
      return `Zone ID "${id}" wasn't contained in original config`;
    }
    if (zone.shared && zone.file !== undefined) {
      return `Zone with ID "${id}" is a shared zone backed by a regular file ` +
        "and thus cannot be bound to a node";
    }
    zone.host_numa_node = host_numa_node;
  }
  memory.zones = zones;
  return undefined;
}
