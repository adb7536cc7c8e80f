/** NUMA nodes. */
import type { NumaConfigInfo } from "../../src/generated/types.gen.ts";
import type { Config } from "../config.ts";
import { BrokenRule, type Check, type Rule } from "./rule.ts";

const node: readonly Rule<NumaConfigInfo>[] = [
  [
    ({ device_id, cpus, memory_zones }) =>
      device_id !== undefined &&
      (cpus !== undefined || memory_zones !== undefined),
    () =>
      numa(
        "device_id in numa config is mutually exclusive with cpus and " +
          "memory_zones",
      ),
  ],
  [
    ({ device_id }) => device_id === "",
    () => numa("device_id in numa config cannot be empty"),
  ],
  [
    ({ device_id, cpus, memory_zones }) =>
      device_id === undefined && cpus === undefined &&
      memory_zones === undefined,
    () =>
      numa("numa config must specify either device_id or cpus/memory_zones"),
  ],
  [
    ({ cpus }) => cpus?.length === 0,
    () => numa("cpus list in numa config cannot be empty"),
  ],
  [
    ({ cpus, memory_zones }) =>
      cpus === undefined && memory_zones?.length === 0,
    () => numa("memory_zones in numa config cannot be empty"),
  ],
];

function numa(problem: string): string {
  return `Invalid NUMA configuration: ${problem}`;
}

/** Each node, and that no zone and no segment belongs to two. */
export function checkNodes(check: Check): void {
  const zones = new Map<string, number>();
  const segments = new Map<number, number>();
  for (const config of check.config.numa ?? []) {
    check.hold(node, config);
    const id = config.guest_numa_id;
    for (const zone of config.memory_zones ?? []) {
      const other = zones.get(zone);
      if (other !== undefined) {
        throw new BrokenRule(
          `Memory zone: ${zone} belongs to multiple NUMA nodes: ` +
            `${other} and ${id}`,
        );
      }
      zones.set(zone, id);
    }
    for (const segment of config.pci_segments ?? []) {
      checkSegment(check, segment, id, segments.get(segment));
      segments.set(segment, id);
    }
  }
}

function checkSegment(
  { segments }: Check,
  segment: number,
  id: number,
  other: number | undefined,
): void {
  if (segment >= segments) {
    throw new BrokenRule(`Invalid PCI segment id: ${segment}`);
  }
  if (segment === 0 && id !== 0) {
    throw new BrokenRule(
      `Default PCI segment assigned to non-zero NUMA node ${id}`,
    );
  }
  if (other === undefined) return;
  throw new BrokenRule(
    `PCI segment: ${segment} belongs to multiple NUMA nodes ${other} and ${id}`,
  );
}

/** Whether a boot can build the nodes, which it says without a reason. */
export function canBuildNodes({ numa = [], memory }: Config): boolean {
  const ids = numa.map(({ guest_numa_id }) => guest_numa_id);
  const zones = memory.zones?.map(({ id }) => id) ?? ["mem0"];
  return new Set(ids).size === ids.length &&
    numa.every(({ memory_zones = [], distances = [] }) => {
      const to = distances.map(({ destination }) => destination);
      return memory_zones.every((zone) => zones.includes(zone)) &&
        to.every((id) => ids.includes(id)) && new Set(to).size === to.length;
    });
}
