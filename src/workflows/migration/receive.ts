/** Makes a VMM listen for a VM. */
import type { Client } from "../../client/create_client.ts";
import type { ReceiveMigrationData } from "../../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../../vmm/vmm.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { Receiver } from "./receiver.ts";
import { checkUrl } from "./urls.ts";

/** Options of {@linkcode receiveVm}. */
export interface ReceiveVmOptions extends WaitOptions {
  /**
   * The address on which the VMM listens: `unix:<path>` or
   * `tcp:<address>:<port>` with an IP address, never a host name.
   */
  readonly url: string;
  /** More fields of the body of `vm.receive-migration`. */
  readonly receive?: Omit<ReceiveMigrationData, "receiver_url"> | undefined;
}

/**
 * Makes a VMM without a VM listen, and resolves when it listens. When the
 * script ends, the VMM still listens. The VMM answers no other call until a VM
 * has arrived.
 *
 * The call can be repeated, also by another process: it resolves when the VMM
 * listens already, receives a VM, or has received it. A VMM that listens
 * elsewhere is noticed when the script runs on its host, and in its network
 * namespace. For `tcp:` Deno needs `-A` to notice that.
 *
 * Over TCP the destination needs an event monitor; before v53.0, it needs to be
 * on the script's host instead.
 *
 * @throws {InvalidRequestError} `destination` when the VMM has another VM, or
 * what a broken transfer left: end the VMM, and start another. `url` when the
 * VMM listens elsewhere.
 * @throws {ApiError} when the VMM cannot listen.
 */
export async function receiveVm(
  vmm: Client | Vmm,
  options: ReceiveVmOptions,
): Promise<void> {
  const body = { ...options.receive, receiver_url: checkUrl(options.url) };
  const scope = new AbortScope(options);
  const receiver = new Receiver(vmmOf(vmm, options.events), body);
  try {
    await receiver.look(scope.signal);
    await receiver.open(scope);
  } finally {
    receiver.leave();
    scope.close();
  }
}
