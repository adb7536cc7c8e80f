/** Memory: what the rules say, and what the memory manager says before them. */
import type { MemoryConfigInfo } from "../../generated/types.gen.ts";
import { type Broken, isPowerOfTwo, type Rule, rule } from "./rule.ts";

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
export function* brokenByMemory(
  { size, zones, ...memory }: MemoryConfigInfo,
): Generator<Broken> {
  const acpi = memory.hotplug_method === "Acpi";
  if (BigInt(size) !== 0n) {
    if (zones !== undefined) yield rule("memory.zones", INVALID);
    yield* brokenByHotplug(memory, acpi, "memory");
    yield* brokenBySize(size, memory, "memory");
    return;
  }
  if (zones === undefined || zones.length === 0) {
    yield rule("memory.zones", "No memory zones found");
    return;
  }
  for (const [index, zone] of zones.entries()) {
    const path = `memory.zones[${index}]`;
    const { shared, file, host_numa_node, hotplug_size } = zone;
    if (shared && file !== undefined && host_numa_node !== undefined) {
      const message =
        "Invalid to try applying a NUMA policy to a memory zone " +
        "that is memory mapped with MAP_SHARED";
      yield rule(`${path}.host_numa_node`, message);
    }
    if (hotplug_size !== undefined && acpi) {
      const message = "Invalid hotplug method associated with memory zones " +
        "resizing capability";
      yield rule(`${path}.hotplug_size`, message);
    }
    yield* brokenByHotplug(zone, acpi, path);
  }
  const ids = new Set<string>();
  for (const [index, zone] of zones.entries()) {
    const path = `memory.zones[${index}]`;
    yield* brokenBySize(zone.size, zone, path);
    if (ids.has(zone.id)) {
      yield rule(`${path}.id`, "Memory zone identifier is not unique");
    }
    ids.add(zone.id);
  }
}

function* brokenByHotplug(
  { hotplug_size, hotplugged_size }: {
    hotplug_size?: number | bigint;
    hotplugged_size?: number | bigint;
  },
  acpi: boolean,
  path: string,
): Generator<Broken> {
  if (hotplugged_size === undefined) return;
  const fits = hotplug_size !== undefined &&
    BigInt(hotplugged_size) <= BigInt(hotplug_size);
  if (!fits || acpi) yield rule(`${path}.hotplugged_size`, INVALID);
}

function* brokenBySize(
  size: number | bigint,
  { hugepages, hugepage_size }: {
    hugepages: boolean;
    hugepage_size?: number | bigint;
  },
  path: string,
): Generator<Broken> {
  const step = hugepages ? BigInt(hugepage_size ?? HUGE_PAGE) : PAGE;
  // With a mask, so that only powers of two make sense as a step.
  if ((BigInt(size) & (step - 1n)) === 0n) return;
  const message = "Memory size is misaligned with default page size or its " +
    "hugepage size";
  yield rule(`${path}.size`, message);
}
