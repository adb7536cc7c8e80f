/** `cpus`: vCPUs and their topology. */
import type { CpusConfigInfo, CpuTopology } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

const MAX_VCPUS = 8192;

export const cpus: readonly Rule<CpusConfigInfo>[] = [
  {
    field: "max_vcpus",
    when: ({ boot_vcpus, max_vcpus }) => max_vcpus < boot_vcpus,
    message: ({ boot_vcpus, max_vcpus }) =>
      `Max CPUs (${max_vcpus}) lower than boot CPUs (${boot_vcpus})`,
  },
  {
    field: "max_vcpus",
    when: ({ max_vcpus }) => max_vcpus > MAX_VCPUS,
    message: ({ max_vcpus }) =>
      `Too many CPUs: specified ${max_vcpus} but ${MAX_VCPUS} is the limit`,
  },
];

/** A topology, with the number of vCPUs that it must have. */
type Topology = CpuTopology & Pick<CpusConfigInfo, "max_vcpus">;

export const topology: readonly Rule<Topology>[] = [
  {
    when: (topology) => partsOf(topology).includes(0),
    message: "No part of the CPU topology can be zero",
  },
  {
    field: "threads_per_core",
    when: ({ threads_per_core }) => threads_per_core > 2,
    message: "CPU topology supports at most 2 threads per core",
    since: "v52.0",
  },
  {
    when: (topology) =>
      partsOf(topology).reduce((product, part) => product * part) !==
        topology.max_vcpus,
    message: "Product of CPU topology parts does not match maximum vCPU",
  },
];

function partsOf(
  { threads_per_core, cores_per_die, dies_per_package, packages }: CpuTopology,
): number[] {
  return [threads_per_core, cores_per_die, dies_per_package, packages];
}
