/** Restores a VM from a snapshot. */
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import type { Client } from "../client/create_client.ts";
import type { RestoreConfig, VmInfo } from "../generated/types.gen.ts";
import { assertLogsUnused } from "./log_files.ts";
import { assertComplete, readSnapshotConfig } from "./snapshot_files.ts";
import { rollBack } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { infoOf, isAlreadyExists } from "../vmm/vm_info.ts";
import { addBlockingSockets, socketsOf } from "../vmm/vm_sockets.ts";

/**
 * Options of {@linkcode restoreVm}. Options of the VMM keep the VMM's names.
 */
export interface RestoreVmOptions extends Omit<RestoreConfig, "source_url"> {
  /**
   * Resumes the VM; otherwise the VM is left paused.
   *
   * Default: `true`.
   */
  readonly resume?: boolean;
  /**
   * When this signal aborts, the workflow rejects with the signal's reason, and
   * deletes a VM that was restored.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Restores a VM from the directory of a snapshot, and resolves to its info. Its
 * disks must have the content that they had at the time of the snapshot. When
 * the restore fails, a VM that the VMM kept is deleted.
 *
 * A VMM empties the files of consoles in mode `File` at a restore. The call is
 * refused if a running process writes to such a file. In Deno this check works
 * only with `-A`; without it the restore goes on, and may empty the log.
 *
 * @throws {InvalidRequestError} `directory` when the snapshot is incomplete, or
 * the restore would empty a log in use.
 * @throws {ApiError} if the VMM refuses a step; `already_exists` if the VMM has
 * a VM.
 * @throws {RollbackError} when a VM that was kept could not be deleted.
 */
export async function restoreVm(
  vmm: Client | Vmm,
  directory: string,
  { signal, resume = true, ...options }: RestoreVmOptions = {},
): Promise<VmInfo> {
  const { client } = vmmOf(vmm);
  const { vm } = client;
  signal?.throwIfAborted();
  const path = resolve(checkPath("directory", directory));
  assertComplete(path);
  const config = readSnapshotConfig(path);
  assertLogsUnused(config);
  const call = signal && { signal };
  const before = await infoOf(vm, call);
  try {
    await vm.restore(
      { ...options, source_url: `file://${path}`, resume },
      call,
    );
    return await vm.info(call);
  } catch (failure) {
    // Another program created this VM after the first look.
    if (before || isAlreadyExists(failure)) throw failure;
    addBlockingSockets(failure, socketsOf(config));
    const remaining = "The VMM may have a VM";
    await rollBack({ failure, remaining, client }, async () => {
      if (await infoOf(vm)) await vm.delete();
    });
    throw failure;
  }
}
