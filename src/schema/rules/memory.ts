/** Memory: what the rules say, and what the memory manager says before them. */
import type { MemoryConfigInfo } from "../../generated/types.gen.ts";
import { isPowerOfTwo, type Rule, type Violation, violation } from "./rule.ts";

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
    "hugepage_size",
  ],
  [
    ({ hugepage_size: size }) => size !== undefined && !isPowerOfTwo(size),
    ({ hugepage_size: size }) => `Huge page size is not power of 2: ${size}`,
    "hugepage_size",
  ],
];

const notBoth: Rule<Backing> = [
  ({ shared, mergeable }) => shared && mergeable,
  () => "Invalid to set both 'mergeable' and 'shared' for memory",
  "mergeable",
];

export const memory: readonly Rule<Backing>[] = [...hugepages, notBoth];

export const zone: readonly Rule<Backing>[] = [
  notBoth,
  ...hugepages.map(([broken, message, field]): Rule<Backing> => [
    (item, around) => around.facts.zoneHugepageRules && broken(item, around),
    message,
    field,
  ]),
];

const INVALID = "Memory configuration is not valid";
const PAGE = 4096n;
const HUGE_PAGE = 2n << 20n;

/** What the memory manager finds wrong at boot, before any rule is asked. */
export function* memoryViolations(
  { size, zones, ...memory }: MemoryConfigInfo,
): Generator<Violation> {
  const acpi = memory.hotplug_method === "Acpi";
  if (BigInt(size) !== 0n) {
    if (zones !== undefined) yield violation("memory.zones", INVALID);
    yield* hotplugViolations(memory, acpi, "memory");
    yield* sizeViolations(size, memory, "memory");
    return;
  }
  if (zones === undefined || zones.length === 0) {
    yield violation("memory.zones", "No memory zones found");
    return;
  }
  for (const [index, zone] of zones.entries()) {
    const path = `memory.zones[${index}]`;
    const { shared, file, host_numa_node, hotplug_size } = zone;
    if (shared && file !== undefined && host_numa_node !== undefined) {
      const message =
        "Invalid to try applying a NUMA policy to a memory zone " +
        "that is memory mapped with MAP_SHARED";
      yield violation(`${path}.host_numa_node`, message);
    }
    if (hotplug_size !== undefined && acpi) {
      const message = "Invalid hotplug method associated with memory zones " +
        "resizing capability";
      yield violation(`${path}.hotplug_size`, message);
    }
    yield* hotplugViolations(zone, acpi, path);
  }
  const ids = new Set<string>();
  for (const [index, zone] of zones.entries()) {
    const path = `memory.zones[${index}]`;
    yield* sizeViolations(zone.size, zone, path);
    if (ids.has(zone.id)) {
      yield violation(`${path}.id`, "Memory zone identifier is not unique");
    }
    ids.add(zone.id);
  }
}

function* hotplugViolations(
  { hotplug_size, hotplugged_size }: {
    hotplug_size?: number | bigint;
    hotplugged_size?: number | bigint;
  },
  acpi: boolean,
  path: string,
): Generator<Violation> {
  if (hotplugged_size === undefined) return;
  const fits = hotplug_size !== undefined &&
    BigInt(hotplugged_size) <= BigInt(hotplug_size);
  if (!fits || acpi) yield violation(`${path}.hotplugged_size`, INVALID);
}

function* sizeViolations(
  size: number | bigint,
  { hugepages, hugepage_size }: {
    hugepages: boolean;
    hugepage_size?: number | bigint;
  },
  path: string,
): Generator<Violation> {
  const step = hugepages ? BigInt(hugepage_size ?? HUGE_PAGE) : PAGE;
  // With a mask, so that only powers of two make sense as a step.
  if ((BigInt(size) & (step - 1n)) === 0n) return;
  const message = "Memory size is misaligned with default page size or its " +
    "hugepage size";
  yield violation(`${path}.size`, message);
}
