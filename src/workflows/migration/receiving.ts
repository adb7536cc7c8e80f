/** Asks a destination how far it is. */
import { DeadlineError } from "../../errors/errors.ts";
import { infoOf } from "../../vmm/vm_info.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { ANSWER_MS, BUSY_ANSWER_MS, hasArrived } from "./arrived.ts";
import { readReceivingStage } from "./so_far.ts";

/**
 * - `nothing`: the VMM has no VM, and does not listen.
 * - `listening`: the VMM waits for a source.
 * - `receiving`: a VM is on its way.
 * - `silent`: the VMM does not answer, and reports nothing. Releases before
 *   v53.0 listen so; any VMM can be slow.
 * - `arrived`: the VMM has the VM that it received.
 * - `occupied`: the VMM has another VM, or what a broken transfer left.
 */
export type Receiving =
  | "nothing"
  | "listening"
  | "receiving"
  | "silent"
  | "arrived"
  | "occupied";

/**
 * A VMM that listens or receives answers nobody. After a silence (`wasSilent`),
 * a VM of which no event came has arrived.
 */
export async function readReceiving(
  vmm: Vmm,
  signal: AbortSignal,
  wasSilent = false,
): Promise<Receiving> {
  const stage = await readReceivingStage(vmm, signal);
  const isBusy = stage === "ready" || stage === "started";
  const timeoutMs = isBusy ? BUSY_ANSWER_MS : ANSWER_MS;
  try {
    const info = await infoOf(vmm.client.vm, { signal, timeoutMs });
    if (info === undefined) return "nothing";
    if (!hasArrived(info)) return "occupied";
    // The VM can have arrived since the events were read.
    const last = await readReceivingStage(vmm, signal);
    const isReceived = last === "finished" || last === "started" ||
      last === "none" && wasSilent;
    return isReceived ? "arrived" : "occupied";
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error;
    const last = await readReceivingStage(vmm, signal);
    if (last === "none") return "silent";
    return last === "ready" ? "listening" : "receiving";
  }
}
