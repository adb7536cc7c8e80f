/** Sends a VM to a VMM that listens. */
import type { Client } from "../../client/create_client.ts";
import type { SendMigrationData } from "../../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../../vmm/vmm.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import type { SendOutcome } from "./outcome.ts";
import { Sender } from "./sender.ts";
import { checkUrl } from "./urls.ts";

/** Options of {@linkcode sendVm}. */
export interface SendVmOptions extends WaitOptions {
  /**
   * The address to which the VM is sent: `unix:<path>` or
   * `tcp:<address>:<port>` with an IP address, never a host name.
   */
  readonly url: string;
  /**
   * The end of the source's events before the first try: the `offset` of the
   * last event, or the size of the event file. The call joins a migration that
   * began later, and its outcome counts; older migrations do not count.
   *
   * Default: only a migration that is under way is joined.
   */
  readonly since?: number | undefined;
  /** More fields of the body of `vm.send-migration`. */
  readonly send?: Omit<SendMigrationData, "destination_url"> | undefined;
  /**
   * Sends a VM with shared memory; see `allowFatal` of `migrateVm`.
   *
   * Default: `false`.
   */
  readonly allowFatal?: boolean | undefined;
}

/**
 * Sends a VM to a VMM that listens, and resolves to the outcome. The call can
 * be repeated, also by another process: it joins a migration that is under way.
 *
 * - `moved`: the destination has the VM, and the source's process ends.
 * - `stayed`: the source has the VM.
 * - `gone`: the source's VMM has ended, and nobody knows where the VM is. Ask
 *   the destination with `arrivedVm`.
 *
 * `signal` and `timeoutMs` end only the wait, never the migration. The source
 * needs an event monitor whose file all tries can read; up to v52.0 the VMM's
 * answer to the call is enough for a try that is not interrupted.
 *
 * @throws {InvalidRequestError} before anything is sent; `fatal_request` when
 * the VM has shared memory.
 * @throws {ApiError} when the VMM refuses the call.
 */
export async function sendVm(
  vmm: Client | Vmm,
  options: SendVmOptions,
): Promise<SendOutcome> {
  const { url, send, since, allowFatal } = options;
  const body = { ...send, destination_url: checkUrl(url) };
  const source = vmmOf(vmm, options.events);
  const scope = new AbortScope(options);
  const sender = new Sender(source, body, { since, allowFatal });
  try {
    await sender.look(scope.signal);
    await sender.start(scope.signal);
    const { outcome } = await scope.race(sender.ended!);
    return outcome;
  } finally {
    sender.close();
    scope.close();
  }
}
