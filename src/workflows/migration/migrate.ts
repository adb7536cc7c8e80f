/** Moves a VM to another VMM. */
import type { Client } from "../../client/create_client.ts";
import type { VmInfo } from "../../generated/types.gen.ts";
import { type Vmm, vmmOf } from "../../vmm/vmm.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { waitForArrival } from "./arrived.ts";
import { Migration } from "./migration.ts";
import type { MigrateVmOptions } from "./options.ts";
import { assertTakes } from "./outcome.ts";
import { occupied } from "./receiver.ts";
import { readReceiving } from "./receiving.ts";
import { MigrationUrls } from "./urls.ts";

/**
 * Moves a VM to a VMM without a VM. Resolves to the info of the VM at the
 * destination, once the VM runs there (or is paused, if it was paused before)
 * and the source's process has ended (unless `preserve_source` is set).
 *
 * The source needs an event monitor: from v53.0 on, `vm.send-migration` answers
 * before the VMM sends anything, so its status does not say whether the
 * migration succeeded. Over TCP the destination needs an event monitor, too.
 *
 * A move whose script was killed is picked up, by the same call of another
 * script with the event files of both sides and the same `url`: before the send,
 * in the middle, and after the arrival, also when the source has ended.
 * `receiveVm`, `sendVm` and `arrivedVm` are the parts, for sides of which no
 * script reaches both.
 *
 * After a restore with `memory_restore_mode: "OnDemand"` the source sends the
 * VM as soon as the VMM has filled its memory.
 *
 * When the migration fails or is aborted, the VM goes on at the source, and the
 * destination is freed: it stops listening, a VM that it kept is deleted, and a
 * process that the script started is ended. After the VM was paused for the
 * final switch, an abort first waits for the outcome. A VM that already runs at
 * the destination is never ended. If another program started the destination,
 * the library cannot stop it while it receives the VM, so the VM may still
 * arrive there.
 *
 * These errors come before anything is sent to the destination:
 *
 * @throws {InvalidRequestError} `source`: the VM is paused, and the VMM is v51.1
 * or older. `destination`: it has a VM, or is v51.1 or older while the source is
 * newer. `url`. `fatal_request` when the VM has shared memory.
 * @throws {ApiError} `not_created`: the source has no VM.
 * @throws {ConnectionError} A VMM cannot be reached.
 * @throws {DeadlineError} after `timeoutMs`.
 *
 * All later failures, also a deadline and an abort:
 *
 * @throws {MigrationError} with the state of each side; its `cause` is the
 * reason, or the reason of the signal.
 */
export async function migrateVm(
  source: Client | Vmm,
  destination: Client | Vmm,
  options: MigrateVmOptions = {},
): Promise<VmInfo> {
  const from = vmmOf(source);
  const to = vmmOf(destination);
  const urls = new MigrationUrls(options.url, options.receiverUrl);
  try {
    const scope = new AbortScope(options);
    const migration = new Migration(from, to, options, urls);
    try {
      return await findMoved(migration, from, to, scope) ??
        await migration.run(scope);
    } finally {
      migration.close();
      scope.close();
    }
  } finally {
    urls.remove();
  }
}

/**
 * Looks at both sides. Resolves to the info of a VM that has moved before, when
 * the source has ended.
 */
async function findMoved(
  { sender, receiver }: Migration,
  from: Vmm,
  to: Vmm,
  { signal }: AbortScope,
): Promise<VmInfo | undefined> {
  const state = await sender.look(signal);
  const { soFar } = sender;
  const hasLeft = soFar.underWay !== undefined || soFar.outcome === "moved";
  if (state !== "gone") {
    const receiving = await receiver.look(signal);
    if (receiving === "arrived" && !hasLeft) throw occupied(to.client);
    const { facts } = receiver;
    if (facts && sender.facts) assertTakes(facts, sender.facts, to.client);
    return undefined;
  }
  const receiving = await readReceiving(to, signal);
  const isMoved = soFar.offset === undefined
    ? receiving === "arrived"
    : hasLeft || soFar.looksMoved;
  if (isMoved && receiving !== "nothing" && receiving !== "listening") {
    const info = await waitForArrival(to, { signal });
    if (info !== undefined) return info;
  }
  // The VMM of the source has ended, and its VM with it.
  return await from.client.vm.info({ signal });
}
