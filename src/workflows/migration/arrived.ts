/** Looks for the VM that a VMM has received. */
import type { Client } from "../../client/create_client.ts";
import { DeadlineError } from "../../errors/errors.ts";
import type { VmInfo, VmState } from "../../generated/types.gen.ts";
import { pollUntil } from "../../vmm/poll.ts";
import { infoOf } from "../../vmm/vm_info.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../../vmm/vmm.ts";
import { isGone } from "../../vmm/wait_for_exit.ts";
import { readReceivingStage } from "./so_far.ts";

/**
 * Resolves to the state of the VM that a destination has, such as `Running`.
 * Resolves to undefined when the VMM has no VM, has only a configuration,
 * still listens, or has ended. While a VM is being received, the VMM answers
 * nobody, and the function waits.
 *
 * Set `timeoutMs` where the source may have died: a destination that loses its
 * source while it receives the memory uses a whole CPU and never answers again,
 * on all releases up to 54.0.0. End it by SIGKILL. A VMM before v53.0, or
 * without an event monitor, does not report whether it listens or already
 * receives.
 *
 * @throws {DeadlineError} after `timeoutMs`.
 */
export async function arrivedVm(
  vmm: Client | Vmm,
  options: WaitOptions = {},
): Promise<VmState | undefined> {
  const target = vmmOf(vmm, options.events);
  return (await waitForArrival(target, options, true))?.state;
}

/**
 * Waits until the VMM answers, and resolves to the info of its VM, if it has
 * one. `endsAtListening` says that a VMM which only listens has no VM.
 */
export async function waitForArrival(
  vmm: Vmm,
  options: WaitOptions,
  endsAtListening = false,
): Promise<VmInfo | undefined> {
  const { vm } = vmm.client;
  try {
    const { info } = await pollUntil<{ info?: VmInfo | undefined }>(vmm, {
      goal: { subject: "VMM", unmet: "does not answer" },
      async probe(signal) {
        const isListening = async (): Promise<boolean> =>
          endsAtListening && await readReceivingStage(vmm, signal) === "ready";
        const timeoutMs = await isListening() ? BUSY_ANSWER_MS : ANSWER_MS;
        try {
          const info = await infoOf(vm, { signal, timeoutMs });
          return info && hasArrived(info) ? { info } : {};
        } catch (error) {
          if (!(error instanceof DeadlineError) || signal.aborted) throw error;
          return await isListening() ? {} : undefined;
        }
      },
    }, options);
    return info;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A VM that was only created has not arrived: a broken transfer leaves it. */
export function hasArrived({ state }: VmInfo): boolean {
  return state !== "Created";
}

/** A VMM that does not answer for so long is receiving a VM. */
export const ANSWER_MS = 2000;
/** The same, where the events say already that the VMM listens or receives. */
export const BUSY_ANSWER_MS = 250;
