/** A VM out of a snapshot. */
import { resolve } from "node:path";
import type { Client } from "../client/create_client.ts";
import type { RestoreConfig, VmInfo } from "../generated/types.gen.ts";
import { checkComplete } from "./snapshot.ts";
import { RollbackError } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { infoOf, isAlreadyExists } from "../vmm/wait_for.ts";

/** How a VM comes back; the VMM's own options, by its own names. */
export interface RestoreVmOptions extends Omit<RestoreConfig, "source_url"> {
  /**
   * Lets the VM run on; otherwise it is left paused.
   *
   * Default: `true`.
   */
  readonly resume?: boolean;
  /** Gives up with the signal's own reason, and deletes what came of it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings a VM back from the directory of a snapshot, and resolves to its info.
 * Its disks must hold what they held at the time of the snapshot. When it
 * fails, the VM that the VMM may have kept is deleted.
 *
 * @throws {InvalidRequestError} `directory` when the snapshot is incomplete.
 * @throws {ApiError} as the VMM refuses it; `already_exists` where there is a
 * VM.
 * @throws {RollbackError} when what was left could not be deleted.
 */
export async function restoreVm(
  vmm: Client | Vmm,
  directory: string,
  { signal, resume = true, ...options }: RestoreVmOptions = {},
): Promise<VmInfo> {
  const { vm, socketPath } = vmmOf(vmm).client;
  signal?.throwIfAborted();
  const path = resolve(directory);
  checkComplete(path);
  const before = await infoOf(vm);
  try {
    await vm.restore(
      { ...options, source_url: `file://${path}`, resume },
      signal && { signal },
    );
    return await vm.info(signal && { signal });
  } catch (failure) {
    // One that came after the look is somebody else's.
    if (before || isAlreadyExists(failure)) throw failure;
    try {
      if (await infoOf(vm)) await vm.delete();
    } catch (undo) {
      const left = "the VMM may hold a VM";
      throw new RollbackError(failure, undo, left, { socketPath });
    }
    throw failure;
  }
}
