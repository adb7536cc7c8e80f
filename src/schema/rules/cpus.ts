/** vCPUs and their topology. */
import type { CpusConfigInfo, CpuTopology } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

const MAX_VCPUS = 8192;

export const cpus: readonly Rule<CpusConfigInfo>[] = [
  [
    ({ boot_vcpus, max_vcpus }) => max_vcpus < boot_vcpus,
    ({ boot_vcpus, max_vcpus }) =>
      `Max CPUs (${max_vcpus}) lower than boot CPUs (${boot_vcpus})`,
    "max_vcpus",
  ],
  [
    ({ max_vcpus }) => max_vcpus > MAX_VCPUS,
    ({ max_vcpus }) =>
      `Too many CPUs: specified ${max_vcpus} but ${MAX_VCPUS} is the limit`,
    "max_vcpus",
  ],
];

/** A topology, with the vCPUs that it is of. */
type Parts = CpuTopology & Pick<CpusConfigInfo, "max_vcpus">;

export const topology: readonly Rule<Parts>[] = [
  [
    (parts) => partsOf(parts).includes(0),
    () => "No part of the CPU topology can be zero",
  ],
  [
    ({ threads_per_core }) => threads_per_core > 2,
    () => "CPU topology supports at most 2 threads per core",
    "threads_per_core",
  ],
  [
    (parts) =>
      partsOf(parts).reduce((product, part) => product * part) !==
        parts.max_vcpus,
    () => "Product of CPU topology parts does not match maximum vCPU",
  ],
];

function partsOf(
  { threads_per_core, cores_per_die, dies_per_package, packages }: CpuTopology,
): number[] {
  return [threads_per_core, cores_per_die, dies_per_package, packages];
}
