/** `memory`: sizes that the boot refuses after the other rules. */
import type { MemoryConfigInfo } from "../../generated/types.gen.ts";
import { type Violation, violation } from "./rule.ts";

const MIB = 1n << 20n;
const PAGE = 4096n;
const BLOCK = 2n * MIB;
const ALIGNMENT = 128n * MIB;

type Size = number | bigint;

/** Sizes that no VM can have, and those that virtio-mem cannot have. */
export function* memorySizeViolations(
  memory: MemoryConfigInfo,
): Generator<Violation> {
  const { size, zones = [], hotplug_method } = memory;
  const virtioMem = hotplug_method === "VirtioMem";
  const whole = BigInt(size) !== 0n;
  if (whole) {
    if (isTooSmall(size)) yield tooSmall("memory.size", size);
    yield* hotplugViolations(memory, "memory", virtioMem);
    return;
  }
  let total = 0n;
  for (const [index, zone] of zones.entries()) {
    const path = `memory.zones[${index}]`;
    total += BigInt(zone.size);
    if (BigInt(zone.size) === 0n) {
      const message = "Error from region creation: Invalid argument (os " +
        "error 22)";
      const advice = "a zone must have at least 1 page";
      yield violation(`${path}.size`, message, { advice });
    }
    yield* hotplugViolations(zone, path, virtioMem);
  }
  if (isTooSmall(total)) yield tooSmall("memory.zones", total);
}

function* hotplugViolations(
  { hotplug_size, hotplugged_size }: {
    hotplug_size?: Size;
    hotplugged_size?: Size;
  },
  path: string,
  virtioMem: boolean,
): Generator<Violation> {
  const field = `${path}.hotplug_size`;
  if (hotplug_size !== undefined && BigInt(hotplug_size) === 0n) {
    const message = "Invalid size for resizing. Can be anything except 0";
    const advice = 'leave "hotplug_size" out';
    yield violation(field, message, { advice });
  }
  if (!virtioMem) return;
  if (BigInt(hotplug_size ?? 0) % ALIGNMENT !== 0n) {
    const message = `Virtio-mem size is not aligned with ${ALIGNMENT}`;
    const advice = `use a multiple of 128 MiB${inMib(hotplug_size!)}`;
    yield violation(field, message, { advice });
  }
  if (BigInt(hotplugged_size ?? 0) % BLOCK !== 0n) {
    const message = "Failed to resize virtio-mem configuration to " +
      `${hotplugged_size}`;
    const advice = "use a multiple of 2 MiB";
    yield violation(`${path}.hotplugged_size`, message, { advice });
  }
}

/** A size that is no multiple of a page is reported elsewhere. */
function isTooSmall(size: Size): boolean {
  const exact = BigInt(size);
  return exact > 0n && exact < MIB && exact % PAGE === 0n;
}

function tooSmall(path: string, size: Size): Violation {
  const message = "Failed to write ACPI data to guest memory";
  const advice = `${size} bytes are too few${inMib(size)}`;
  return violation(path, message, { advice });
}

/** A hint for a size that looks like a number of MiB. */
export function inMib(size: Size): string {
  const exact = BigInt(size);
  if (exact === 0n || exact >= MIB) return "";
  return `; sizes are in bytes: write ${exact * MIB} for ${size} MiB`;
}
