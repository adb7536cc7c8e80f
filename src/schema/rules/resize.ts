/** `vm.resize`, `vm.resize-zone` and `vm.resize-disk`. */
import type {
  VmResize,
  VmResizeDisk,
  VmResizeZone,
} from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { inMib } from "./memory_sizes.ts";
import { type Violation, violation } from "./rule.ts";

const SECTOR = 512n;
const DIMM = 128n << 20n;
const BLOCK = 2n << 20n;

export function* resizeDiskViolations(
  { id, desired_size }: VmResizeDisk,
  vm: Config | undefined,
): Generator<Violation> {
  if (BigInt(desired_size) % SECTOR !== 0n) {
    const message = "Disk image size is not a multiple of 512";
    yield violation("desired_size", message);
  }
  if (vm === undefined) return;
  const ids = (vm.disks ?? []).map(({ id }) => id);
  yield* unknownId(id, ids);
}

/** `vm` is the configuration of the running VM, if it is known. */
export function* resizeViolations(
  { desired_vcpus, desired_ram, desired_balloon }: VmResize,
  vm: Config | undefined,
): Generator<Violation> {
  if (desired_vcpus === 0) {
    yield violation("desired_vcpus", "Requested zero vCPUs");
  }
  if (vm === undefined) return;
  const { max_vcpus } = vm.cpus;
  if (desired_vcpus != null && desired_vcpus > max_vcpus) {
    const advice = `"cpus.max_vcpus" is ${max_vcpus}`;
    const message = "Requested vCPUs exceed maximum";
    yield violation("desired_vcpus", message, { advice });
  }
  if (desired_ram != null) yield* ramViolations(BigInt(desired_ram), vm);
  if (desired_balloon != null && vm.balloon === undefined) {
    const message = "Missing virtio-balloon, can't proceed as expected";
    const advice = 'create the VM with "balloon"';
    yield violation("desired_balloon", message, { advice });
  }
}

function* ramViolations(
  desired: bigint,
  { memory }: Config,
): Generator<Violation> {
  const path = "desired_ram";
  const size = BigInt(memory.size);
  if (memory.zones !== undefined) {
    const message = "Impossible to resize guest memory if it is backed by " +
      "user defined memory regions";
    yield violation(path, message, { advice: 'use "vm.resize-zone"' });
  } else if (memory.hotplug_method === "VirtioMem") {
    yield* virtioMemViolations(path, desired, memory);
  } else if (desired > size && (desired - size) % DIMM !== 0n) {
    const message = "The requested hotplug memory addition is not a valid size";
    const advice = `add a multiple of 128 MiB to ${size}`;
    yield violation(path, message, { advice });
  } else if (desired - size > BigInt(memory.hotplug_size ?? 0)) {
    const message = "Not enough space in the hotplug RAM region";
    const advice = memory.hotplug_size === undefined
      ? 'create the VM with "memory.hotplug_size"'
      : `"memory.hotplug_size" is ${memory.hotplug_size}`;
    yield violation(path, message, { advice });
  }
}

export function* resizeZoneViolations(
  { id, desired_ram }: VmResizeZone,
  vm: Config | undefined,
): Generator<Violation> {
  if (vm === undefined) return;
  const zones = vm.memory.zones ?? [];
  const zone = zones.find((zone) => zone.id === id);
  if (zone !== undefined) {
    yield* virtioMemViolations("desired_ram", BigInt(desired_ram), zone);
  } else yield* unknownId(id, zones.map(({ id }) => id));
}

function* virtioMemViolations(
  path: string,
  desired: bigint,
  { size, hotplug_size }: {
    size: number | bigint;
    hotplug_size?: number | bigint;
  },
): Generator<Violation> {
  const added = desired - BigInt(size);
  if (added < 0n) {
    const message = `Invalid resize request: desired_size = ${desired} below ` +
      `boot size = ${size}`;
    const hint = inMib(desired).slice("; ".length) || undefined;
    yield violation(path, message, { advice: hint });
  } else if (hotplug_size === undefined) {
    const message = "No virtio-mem resizing handler found";
    const advice = 'create the VM with "hotplug_size"';
    yield violation(path, message, { advice });
  } else if (added > BigInt(hotplug_size)) {
    const message = `new size ${added} is bigger than region_size ` +
      `${hotplug_size}`;
    const advice = `use at most ${BigInt(size) + BigInt(hotplug_size)}`;
    yield violation(path, message, { advice });
  } else if (added % BLOCK !== 0n) {
    const message = `new size ${added} is not aligned on block_size ${BLOCK}`;
    const advice = `add a multiple of 2 MiB to ${size}`;
    yield violation(path, message, { advice });
  }
}

/** An id that the VM does not have. */
export function* unknownId(
  id: string,
  ids: readonly (string | undefined)[],
): Generator<Violation> {
  // Before the boot, a device without an id has no name yet.
  if (ids.includes(id) || ids.includes(undefined)) return;
  const known = ids.map((id) => JSON.stringify(id)).join(", ");
  const message = "Failed to find device corresponding to the given " +
    `identifier: ${id}`;
  const advice = known === "" ? "the VM has none" : `the VM has ${known}`;
  yield violation("id", message, { advice });
}
