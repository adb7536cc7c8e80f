/** Configurations that stop or hang the VMM at `vm.create` or `vm.boot`. */
import type { VmConfig } from "../generated/types.gen.ts";
import { type FatalField, hangs, stops } from "./fatal_field.ts";

export function* fatalConfigFields(config: VmConfig): Generator<FatalField> {
  yield* consoleFields(config);
  yield* memoryFields(config);
  yield* cpuFields(config);
  yield* segmentFields(config);
}

function* consoleFields(config: VmConfig): Generator<FatalField> {
  for (const field of ["console", "serial", "debug_console"] as const) {
    const device = config[field];
    if (device?.mode === "File" && device.file == null) {
      yield stops(`${field}.file`, `${field} mode "File" without a file`);
    }
  }
  if (config.serial?.mode === "Socket" && config.serial.socket == null) {
    yield stops("serial.socket", 'serial mode "Socket" without a socket');
  }
}

/** The end of the ACPI tables of a small VM, which the VMM cannot write. */
const TOO_SMALL = 0xa2000;

function* memoryFields({ memory }: VmConfig): Generator<FatalField> {
  if (memory == null) return;
  const { size, zones } = memory;
  if (Number(size) === 0 && zones == null) {
    yield stops("memory.size", "memory.size 0 without zones");
  }
  const sizes = Array.isArray(zones) ? zones.map((zone) => zone?.size) : [];
  const total = [size, ...sizes]
    .reduce<number>((sum, size) => sum + Number(size), 0);
  const field = Number(size) === 0 ? "memory.zones" : "memory.size";
  yield* smallMemory(field, total);
}

/** Memory that no VM can have; the VMM stops at the boot. */
export function* smallMemory(
  field: string,
  bytes: number,
): Generator<FatalField> {
  // A size that is no multiple of a page is refused, and stops nothing.
  if (bytes > 0 && bytes < TOO_SMALL && bytes % 4096 === 0) {
    yield stops(field, `memory of ${bytes} bytes (v53.0)`);
  }
}

/** The VMM keeps a set of this many host CPUs. */
const HOST_CPUS = 1024;

/** The parts whose product, in 16 bits, the VMM divides by. */
const TOPOLOGY = ["threads_per_core", "cores_per_die", "dies_per_package"];

function* cpuFields({ cpus }: VmConfig): Generator<FatalField> {
  const { topology, affinity, boot_vcpus } = cpus ?? {};
  let product = 1;
  for (const part of TOPOLOGY) {
    const count = (topology as Record<string, unknown> | null)?.[part];
    product = product * Number(count ?? 1) % 65_536;
    if (product !== 0) continue;
    yield stops(`cpus.topology.${part}`, "a product of parts that is 0");
    break;
  }
  if (!Array.isArray(affinity)) return;
  // The last entry of a vCPU counts, if the vCPU is there at the boot.
  const last = new Map(affinity.map((entry, index) => [entry?.vcpu, index]));
  for (const [vcpu, index] of last) {
    const { host_cpus } = affinity[index] ?? {};
    if (!Array.isArray(host_cpus) || !(vcpu! < Number(boot_vcpus))) continue;
    const field = `cpus.affinity[${index}].host_cpus`;
    if (host_cpus.length === 0) {
      yield hangs(field, `no host CPU for vCPU ${vcpu}`);
    } else if (host_cpus.some((cpu) => cpu >= HOST_CPUS)) {
      yield stops(field, `a host CPU above ${HOST_CPUS - 1}`);
    }
  }
}

/** The number of parts into which the VMM can divide the space of segments. */
const APERTURE_PARTS = [
  ["mmio32_aperture_weight", 163_840],
  // On a host with 52 bits of physical addresses; fewer on most hosts.
  ["mmio64_aperture_weight", 1 << 20],
] as const;

function* segmentFields(
  { pci_segments, platform }: VmConfig,
): Generator<FatalField> {
  const segments = Number(platform?.num_pci_segments ?? 1);
  if (!(segments > 1) || !Array.isArray(pci_segments)) return;
  for (const [key, parts] of APERTURE_PARTS) {
    // The last entry of a segment counts; others have the weight 1.
    const weights = new Map(
      pci_segments.map((entry) => [entry?.pci_segment, entry?.[key] ?? 1]),
    );
    let total = segments - weights.size;
    for (const weight of weights.values()) total += Number(weight);
    if (!(total > parts)) continue;
    yield stops("pci_segments", `a sum of "${key}" above ${parts}`);
  }
}
