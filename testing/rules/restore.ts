/** What a restore asks for, against the configuration in the snapshot. */
import type {
  RestoreConfig,
  VmMemoryZoneUpdateData,
} from "../../src/generated/types.gen.ts";
import type { Config } from "../config.ts";
import { BrokenRule, type Rule } from "./rule.ts";

const request: readonly Rule<RestoreConfig>[] = [
  [
    ({ memory_restore_mode, prefault }) =>
      memory_restore_mode === "OnDemand" && prefault === true,
    () => "'prefault' cannot be combined with 'memory_restore_mode=ondemand'",
  ],
];

const updates: readonly Rule<readonly VmMemoryZoneUpdateData[]>[] = [
  [
    (items) => new Set(items.map(({ id }) => id)).size < items.length,
    () => "Multiple updates for the same zone defined",
  ],
  [
    (items) => items.some(({ id }) => id === ""),
    () => "At least one memory zone update with an empty ID was defined",
  ],
];

/** @throws {BrokenRule} for the first rule that the request breaks. */
export function checkRestore(body: RestoreConfig, config: Config): void {
  hold(request, body);
  const given = new Map<string, number>();
  for (const { id, num_fds } of body.net_fds ?? []) {
    if (given.has(id)) {
      throw new BrokenRule(`Identifier ${id} is not unique`, "conflict");
    }
    given.set(id, Number(num_fds ?? 0));
  }
  for (const { id, fds } of config.net ?? []) {
    if (fds === undefined) continue;
    const count = given.get(id!);
    if (count === undefined) {
      throw new BrokenRule(
        `Net id ${id} is associated with FDs and is required`,
      );
    }
    if (count !== fds.length) {
      throw new BrokenRule(
        `Number of Net FDs passed for '${id}' during Restore: ${count}. ` +
          `Expected: ${fds.length}`,
      );
    }
  }
  hold(updates, body.zone_updates ?? []);
  for (const { id, fd } of config.devices ?? []) {
    if (fd === undefined) continue;
    throw new BrokenRule(
      `VFIO device '${
        id ?? ""
      }' was FD backed and needs a new fd in 'vfio_fds'`,
    );
  }
}

function hold<Item>(rules: readonly Rule<Item>[], item: Item): void {
  for (const [broken, message] of rules) {
    // These rules look at nothing but the request.
    if (broken(item, undefined as never)) {
      throw new BrokenRule(message(item, undefined as never));
    }
  }
}

/**
 * Moves memory zones to other nodes of the host.
 *
 * @returns what is wrong, or undefined when it is done.
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
