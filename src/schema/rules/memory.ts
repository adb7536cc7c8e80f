/** `memory`: rules of validation, and of the memory manager before them. */
import type { MemoryConfigInfo } from "../../generated/types.gen.ts";
import { inMib } from "./memory_sizes.ts";
import { isPowerOfTwo, type Rule, type Violation, violation } from "./rule.ts";

/** The fields that memory and its zones share. */
interface Backing {
  shared: boolean;
  mergeable?: boolean;
  hugepages: boolean;
  hugepage_size?: number | bigint;
}

const hugepages: readonly Rule<Backing>[] = [
  {
    field: "hugepage_size",
    when: ({ hugepages, hugepage_size }) =>
      hugepage_size !== undefined && !hugepages,
    message: "Huge page size specified but huge pages not enabled",
    advice: 'set "hugepages" to true',
  },
  {
    field: "hugepage_size",
    when: ({ hugepage_size: size }) =>
      size !== undefined && !isPowerOfTwo(size),
    message: ({ hugepage_size: size }) =>
      `Huge page size is not power of 2: ${size}`,
  },
];

const notBoth: Rule<Backing> = {
  field: "mergeable",
  when: ({ shared, mergeable = false }) => shared && mergeable,
  message: "Invalid to set both 'mergeable' and 'shared' for memory",
  since: "v52.0",
};

export const memory: readonly Rule<Backing>[] = [...hugepages, notBoth];

export const zone: readonly Rule<Backing>[] = [
  notBoth,
  ...hugepages.map((rule) => ({ ...rule, since: "v54.0" })),
];

const INVALID = "Memory configuration is not valid";
const PAGE = 4096n;
const HUGE_PAGE = 2n << 20n;

/** The rules that the memory manager checks at boot, before all others. */
export function* memoryViolations(
  { size, zones, ...memory }: MemoryConfigInfo,
): Generator<Violation> {
  const acpi = memory.hotplug_method === "Acpi";
  if (BigInt(size) !== 0n) {
    if (zones !== undefined) {
      yield violation("memory.zones", INVALID, {
        advice: 'set "memory.size" to 0 if there are zones',
      });
    }
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
      const advice = 'set "memory.hotplug_method" to "VirtioMem"';
      yield violation(`${path}.hotplug_size`, message, { advice });
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
  // As the VMM: with a mask, which is right for powers of two only.
  if ((BigInt(size) & (step - 1n)) === 0n) return;
  const message = "Memory size is misaligned with default page size or its " +
    "hugepage size";
  const advice = `use a multiple of ${step}${inMib(size)}`;
  yield violation(`${path}.size`, message, { advice });
}
