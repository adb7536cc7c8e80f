/** The vCPU threads: what starting them does to the VMM. */
import type { Config } from "../../src/schema/config.ts";
import type { Host } from "./host.ts";
import { Hang, Killed, Panic } from "./vmm_error.ts";

/** CPUs of the host that an affinity mask can contain. */
const MASK_SIZE = 1024;

/**
 * Starts the vCPUs from `first` up to `end`, which is not started.
 *
 * @throws {Hang} if a vCPU has no CPU of the host to run on.
 * @throws {Killed} if its mask does not fit.
 */
export function startVcpus(
  host: Host,
  { cpus }: Config,
  first: number,
  end: number,
): void {
  // The last entry of a vCPU counts.
  const masks = new Map(
    (cpus.affinity ?? []).map(({ vcpu, host_cpus }) => [vcpu, host_cpus]),
  );
  for (let vcpu = first; vcpu < end; vcpu++) {
    const mask = masks.get(vcpu);
    if (mask === undefined) continue;
    if (mask.some((cpu) => cpu >= MASK_SIZE)) throw new Killed("SIGABRT");
    if (!mask.some((cpu) => host.hasCpu(cpu))) throw new Hang();
  }
}

/**
 * Computes the ids of the vCPUs in 16-bit arithmetic.
 *
 * @throws {Panic} at a division by zero.
 */
export function assertTopology({ cpus: { topology } }: Config): void {
  if (topology == null) return;
  const { threads_per_core, cores_per_die, dies_per_package } = topology;
  const cores = (threads_per_core * cores_per_die) & 0xffff;
  const dies = (cores * dies_per_package) & 0xffff;
  if (cores === 0 || dies === 0) throw new Panic("division by zero");
}
