/** Takes a snapshot of a VM, which goes on running. */
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import type { Client } from "../client/create_client.ts";
import { ApiError } from "../errors/errors.ts";
import type { VmState } from "../generated/types.gen.ts";
import { openEmptyDirectory } from "../vmm/private_directory.ts";
import { isFilling, whenMemoryIsFilled } from "./memory_fill.ts";
import { rollBack } from "./rollback.ts";
import { assertComplete, SNAPSHOT_FILES } from "./snapshot_files.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";

/** Options of {@linkcode snapshotVm}. */
export interface SnapshotVmOptions {
  /**
   * Called with the directory when the snapshot is complete and the VM is still
   * paused: the moment to copy its disks. When it fails, the snapshot is
   * removed and the call rejects with its error; files that it wrote stay.
   */
  readonly whilePaused?: ((directory: string) => unknown) | undefined;
  /**
   * When this signal aborts, the workflow rejects with the signal's reason. The
   * VMM cannot interrupt a snapshot, so the call waits for it, and resumes the
   * VM.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the state and the memory of a VM into a directory: pauses the VM,
 * takes the snapshot and resumes the VM, also after a failure. A VM that was
 * paused before stays paused. A snapshot does not contain disks: copy them at
 * the same moment, in `whilePaused`.
 *
 * After a restore with `memory_restore_mode: "OnDemand"` the call first waits
 * until the VMM has filled the memory; the VM runs meanwhile.
 *
 * The directory is created with mode 0700, or exists and is empty. When the
 * snapshot fails, its files are removed.
 *
 * @throws {InvalidRequestError} `directory` when it is not empty or cannot be
 * created. Nothing is changed then, and the VM is not paused.
 * @throws {ApiError} if the VMM refuses a step, such as `not_running` if the VM
 * is not booted.
 * @throws {RollbackError} when the VM could not be resumed after a failure.
 */
export async function snapshotVm(
  vmm: Client | Vmm,
  directory: string,
  { signal, whilePaused }: SnapshotVmOptions = {},
): Promise<void> {
  const { client } = vmmOf(vmm);
  signal?.throwIfAborted();
  const path = resolve(checkPath("directory", directory));
  const { state } = await client.vm.info(signal && { signal });
  const target = openEmptyDirectory(path);
  try {
    const attempt = () => pauseAndSave(client, state, target.path, signal);
    await whenMemoryIsFilled(vmmOf(vmm), attempt, { signal });
    assertComplete(target.path);
    await whilePaused?.(target.path);
  } catch (failure) {
    try {
      const remaining = "The VM is left paused";
      await rollBack({ failure, remaining, client }, async () => {
        if (state === "Running") await ensureResumed(client);
      });
    } finally {
      target.discard(SNAPSHOT_FILES);
    }
    throw failure;
  }
  if (state === "Running") await ensureResumed(client);
}

/** While the VMM still fills the memory of the VM, the VM goes on. */
async function pauseAndSave(
  client: Client,
  state: VmState,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { vm } = client;
  const call = signal && { signal };
  if (state !== "Paused") await vm.pause(call);
  try {
    await vm.snapshot({ destination_url: `file://${path}` }, call);
  } catch (error) {
    if (isFilling(error) && state === "Running") await ensureResumed(client);
    throw error;
  }
}

/** Resumes a VM, which may not have been paused. */
async function ensureResumed({ vm }: Client): Promise<void> {
  try {
    await vm.resume();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { state } = await vm.info();
    if (state !== "Running") throw error;
  }
}
