/** Restores a VM from a snapshot. */
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import type { Client } from "../client/create_client.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { RestoreConfig, VmInfo } from "../generated/types.gen.ts";
import { assertLogsUnused } from "./log_files.ts";
import { keptDisksIn } from "./clone/clone_directory.ts";
import { onDemandMissing, onDemandRefusal } from "./clone/on_demand.ts";
import { assertSocketsUnused, removeSockets } from "./clone/sockets.ts";
import {
  prepareSource,
  type RestoreEditOptions,
  type RestoreSource,
} from "./clone/source.ts";
import { restoreDisks } from "./kept_disks.ts";
import { assertComplete } from "./snapshot_files.ts";
import { rollBack, RollbackError } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { infoOf, isAlreadyExists } from "../vmm/vm_info.ts";
import { addBlockingSockets, socketsOf } from "../vmm/vm_sockets.ts";

/**
 * Options of {@linkcode restoreVm}. Options of the VMM keep the VMM's names.
 */
export interface RestoreVmOptions
  extends Omit<RestoreConfig, "source_url">, RestoreEditOptions {
  /**
   * Resumes the VM; otherwise the VM is left paused.
   *
   * Default: `true`.
   */
  readonly resume?: boolean;
  /**
   * With `memory_restore_mode: "OnDemand"`: called with the reason when the VMM
   * does not support that mode, and copies the memory instead. Without
   * `onCopy`, the call rejects with the refusal of the VMM, and a VMM before
   * v52.0 copies without a report.
   */
  readonly onCopy?: ((reason: string) => void) | undefined;
  /**
   * When this signal aborts, the workflow rejects with the signal's reason, and
   * deletes a VM that was restored.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Restores a VM from the directory of a snapshot, and resolves to its info. Its
 * disks must have the content that they had at the time of the snapshot. When
 * the restore fails, a VM that the VMM kept is deleted, so that the VMM can
 * restore again.
 *
 * Disks that `snapshotVm` has kept are copied to the paths that the VM uses, so
 * that the snapshot can be restored again. A file that exists at the path of the
 * snapshot is never overwritten: move it away, or give the VM another path by
 * `config`. A file that exists at another path is used as it is.
 *
 * With `config`, the VM gets other paths than the VM of the snapshot, beside
 * which it can run: see {@linkcode ownPaths} and {@linkcode cloneSnapshot}.
 *
 * With `memory_restore_mode: "OnDemand"`, the VMM answers in a tenth of a
 * second for every size of memory, and reads the memory in the background. Do
 * not truncate or overwrite the memory file of the snapshot meanwhile: the VM
 * would end as soon as its guest uses memory that is missing. Deleting the file
 * does no harm.
 *
 * A VMM empties the files of consoles in mode `File` at a restore. The call is
 * refused if a running process writes to such a file. In Deno this check works
 * only with `-A`; without it the restore goes on, and may empty the log.
 *
 * @throws {InvalidRequestError} `directory` when the snapshot is incomplete, or
 * the restore would empty a log in use; the path of a socket that exists, such
 * as `vsock.socket`; the path of an edit that no clone can have.
 * @throws {ApiError} if the VMM refuses a step; `already_exists` if the VMM has
 * a VM, `in_use` if another VM uses a disk or a tap.
 * @throws {RollbackError} when a VM that was kept could not be deleted.
 */
export async function restoreVm(
  vmm: Client | Vmm,
  directory: string,
  options: RestoreVmOptions = {},
): Promise<VmInfo> {
  const target = vmmOf(vmm);
  const { signal, resume = true, onCopy, config, unchecked, ...more } = options;
  signal?.throwIfAborted();
  const path = resolve(checkPath("directory", directory));
  assertComplete(path);
  const edit = { config, unchecked };
  const source = await prepareSource(target, path, edit, signal);
  let removeDisks: (() => void) | undefined;
  try {
    assertLogsUnused(source.config);
    const { client } = target;
    const kept = keptDisksIn(path);
    removeDisks = await restoreDisks(kept, path, source.config, signal);
    const call = signal && { signal };
    const body = {
      ...more,
      source_url: `file://${source.directory}`,
      resume,
    };
    if (onCopy === undefined || more.memory_restore_mode !== "OnDemand") {
      return await restore(client, source, body, call);
    }
    const missing = await onDemandMissing(client, call);
    if (missing !== undefined) onCopy(missing);
    try {
      return await restore(client, source, body, call);
    } catch (error) {
      const refusal = onDemandRefusal(error);
      if (refusal === undefined) throw error;
      onCopy(refusal);
    }
    const copy = { ...body, memory_restore_mode: "Copy" } as const;
    return await restore(client, source, copy, call);
  } catch (error) {
    // A VM that could not be deleted uses them.
    if (!(error instanceof RollbackError)) removeDisks?.();
    throw error;
  } finally {
    source.remove();
  }
}

async function restore(
  client: Client,
  { config }: RestoreSource,
  body: RestoreConfig,
  call: CallOptions | undefined,
): Promise<VmInfo> {
  const { vm } = client;
  const before = await infoOf(vm, call);
  if (!before) assertSocketsUnused(config);
  try {
    await vm.restore(body, call);
    const info = await vm.info(call);
    if (!body.resume || info.state !== "Paused") return info;
    // v51.1 and older ignore the option.
    await vm.resume(call);
    return await vm.info(call);
  } catch (failure) {
    // Another program created this VM after the first look.
    if (before || isAlreadyExists(failure)) throw failure;
    const sockets = socketsOf(config);
    addBlockingSockets(failure, sockets);
    const remaining = "The VMM may have a VM";
    await rollBack({ failure, remaining, client }, async () => {
      if (await infoOf(vm)) await vm.delete();
      removeSockets(failure, config);
    });
    throw failure;
  }
}
