/** Waits for the end of a VM, and finds its cause. */
import type { Client } from "../client/create_client.ts";
import type { EventReader } from "../events/event.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { endRequestsOf } from "./end_request.ts";
import { watchEnd } from "./end_watch.ts";
import { goalTimedOut } from "./goal.ts";
import { UNKNOWN_EXIT } from "./poll.ts";
import { endOf, type VmEnd } from "./vm_end.ts";
import { VmHistory } from "./vm_history.ts";
import { isSocket } from "./vm_sockets.ts";
import { type Vmm, vmmOf, type WaitOptions } from "./vmm.ts";
import { waitForExit } from "./wait_for_exit.ts";

/**
 * Waits until the VMM has ended, and resolves to the cause: the guest powered
 * off, rebooted or panicked, or the VMM was stopped or killed, or crashed. A VMM
 * with `--no-shutdown` does not end with its VM.
 *
 * Of a handle of `spawnVmm` the cause is always known, also after the end. Of
 * another VMM the events tell the cause: its file is read from the start, a pipe
 * from now on. Without events the cause is `unknown`, unless `stop()` of the
 * same handle ended the VMM.
 *
 * @throws {DeadlineError} after `timeoutMs`.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { waitForEnd } from "@chv/cloud-hypervisor/workflows";
 *
 * const vmm = await spawnVmm({
 *   config: { payload: { kernel: "/boot/vmlinux" } },
 *   onReboot: "end",
 *   onPanic: "end",
 * });
 * try {
 *   const { cause, by } = await waitForEnd(vmm, { timeoutMs: 600_000 });
 *   console.log(cause, by); // powered-off guest
 * } finally {
 *   await vmm.stop();
 * }
 * ```
 */
export async function waitForEnd(
  vmm: Client | Vmm,
  options: WaitOptions = {},
): Promise<VmEnd> {
  const target = vmmOf(vmm, options.events);
  const { client, exited, ended, events } = target;
  const scope = new AbortScope(options, (ms) => {
    const goal = { subject: "VMM", unmet: "has not ended" } as const;
    return goalTimedOut(goal, ms, client.socketPath);
  });
  try {
    if (ended) return await scope.race(ended);
    const history = events && await readHistory(target, events, scope);
    await waitForExit(target, scope);
    const exit = await exited ?? UNKNOWN_EXIT;
    return endOf({
      exit,
      history,
      isSocketLeft: isSocket(client.socketPath),
      requests: endRequestsOf(client),
    });
  } finally {
    scope.close();
  }
}

/** Reads all events, until the VMM has ended. */
async function readHistory(
  { client, exited }: Vmm,
  events: EventReader,
  { signal }: AbortScope,
): Promise<VmHistory | undefined> {
  const history = new VmHistory();
  const { ended, stop } = exited
    ? { ended: exited, stop() {} }
    : watchEnd(client);
  try {
    for await (const event of events({ signal, ended })) history.add(event);
    return history;
  } catch {
    // The end itself is awaited without events, unless the wait is over.
    signal.throwIfAborted();
    return undefined;
  } finally {
    stop();
  }
}
