/** Memory: what the rules say, and what the memory manager says before them. */
import type { MemoryConfigInfo } from "../../src/generated/types.gen.ts";
import { isPowerOfTwo, type Rule } from "./rule.ts";

/** As far as memory and its zones are alike. */
interface Backing {
  shared: boolean;
  mergeable: boolean;
  hugepages: boolean;
  hugepage_size?: number | bigint;
}

const hugepages: readonly Rule<Backing>[] = [
  [
    ({ hugepages, hugepage_size }) => hugepage_size !== undefined && !hugepages,
    () => "Huge page size specified but huge pages not enabled",
  ],
  [
    ({ hugepage_size: size }) => size !== undefined && !isPowerOfTwo(size),
    ({ hugepage_size: size }) => `Huge page size is not power of 2: ${size}`,
  ],
];

const notBoth: Rule<Backing> = [
  ({ shared, mergeable }) => shared && mergeable,
  () => "Invalid to set both 'mergeable' and 'shared' for memory",
];

export const memory: readonly Rule<Backing>[] = [...hugepages, notBoth];

export const zone: readonly Rule<Backing>[] = [
  notBoth,
  ...hugepages.map(([broken, message]): Rule<Backing> => [
    (item, check) => check.facts.zoneHugepageRules && broken(item, check),
    message,
  ]),
];

const INVALID = "Memory configuration is not valid";
const PAGE = 4096n;
const HUGE_PAGE = 2n << 20n;

/**
 * What the memory manager finds wrong at boot, before any rule is asked.
 *
 * @returns its message, or undefined.
 */
export function memoryProblem(
  { size, zones, ...memory }: MemoryConfigInfo,
): string | undefined {
  const acpi = memory.hotplug_method === "Acpi";
  if (BigInt(size) !== 0n) {
    if (zones !== undefined) return INVALID;
    return hotplugProblem(memory, acpi) ?? alignmentProblem(size, memory);
  }
  if (zones === undefined || zones.length === 0) return "No memory zones found";
  for (const zone of zones) {
    const { shared, file, host_numa_node, hotplug_size } = zone;
    if (shared && file !== undefined && host_numa_node !== undefined) {
      return "Invalid to try applying a NUMA policy to a memory zone that is " +
        "memory mapped with MAP_SHARED";
    }
    if (hotplug_size !== undefined && acpi) {
      return "Invalid hotplug method associated with memory zones resizing " +
        "capability";
    }
    const problem = hotplugProblem(zone, acpi);
    if (problem !== undefined) return problem;
  }
  const ids = new Set<string>();
  for (const zone of zones) {
    const problem = alignmentProblem(zone.size, zone);
    if (problem !== undefined) return problem;
    if (ids.has(zone.id)) return "Memory zone identifier is not unique";
    ids.add(zone.id);
  }
  return undefined;
}

function hotplugProblem(
  { hotplug_size, hotplugged_size }: {
    hotplug_size?: number | bigint;
    hotplugged_size?: number | bigint;
  },
  acpi: boolean,
): string | undefined {
  if (hotplugged_size === undefined) return undefined;
  const fits = hotplug_size !== undefined &&
    BigInt(hotplugged_size) <= BigInt(hotplug_size);
  return fits && !acpi ? undefined : INVALID;
}

function alignmentProblem(
  size: number | bigint,
  { hugepages, hugepage_size }: {
    hugepages: boolean;
    hugepage_size?: number | bigint;
  },
): string | undefined {
  const step = hugepages ? BigInt(hugepage_size ?? HUGE_PAGE) : PAGE;
  // With a mask, so that only powers of two make sense as a step.
  return (BigInt(size) & (step - 1n)) === 0n
    ? undefined
    : "Memory size is misaligned with default page size or its hugepage size";
}
