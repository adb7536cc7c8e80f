/** Takes a snapshot of a VM, which goes on running. */
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { Client } from "../client/create_client.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { isGone } from "../vmm/wait_for_exit.ts";
import {
  identifyVmm,
  isSameVmm,
  type VmmIdentity,
} from "../vmm/vmm_identity.ts";
import {
  notePathOf,
  takeNote,
  type WorkflowNote,
} from "../vmm/workflow_note.ts";
import {
  createPartial,
  partialPathOf,
  type PartialSnapshot,
} from "./partial_snapshot.ts";
import {
  ensureResumed,
  finishKilledSnapshot,
  pause,
  type SnapshotTask,
} from "./pause.ts";
import { disksToKeep, keepDisks } from "./kept_disks.ts";
import { isFilling, whenMemoryIsFilled } from "./memory_fill.ts";
import { isAnotherVmSince, lastEventOffset } from "./past_events.ts";
import { rollBack } from "./rollback.ts";
import {
  assertComplete,
  readSnapshotText,
  toConfig,
} from "./snapshot_files.ts";
import { readRecord } from "./snapshot_record.ts";

/** Options of {@linkcode snapshotVm}. */
export interface SnapshotVmOptions {
  /**
   * Keeps the disks with the snapshot: all that the guest can write are copied
   * while the VM is paused, and `restoreVm` uses the copies. Where the file
   * system can share blocks (XFS, Btrfs) this takes no time and no space;
   * elsewhere all data is read and written, except for holes and zeros. The
   * backing file of a qcow2 image is not copied: both share it.
   *
   * Default: the snapshot has no disks.
   */
  readonly disks?: "copy" | undefined;
  /**
   * Called with the directory of the files when the VM is saved and still
   * paused: the moment to copy what belongs to the snapshot. The directory gets
   * its name afterwards. When the hook fails, the directory is removed with all
   * files, and the call rejects with the error of the hook.
   */
  readonly whilePaused?: ((directory: string) => unknown) | undefined;
  /**
   * When this signal aborts, the workflow rejects with the signal's reason. The
   * VMM cannot interrupt a snapshot, so the call waits for it, and resumes the
   * VM.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The result of {@linkcode snapshotVm}. */
export interface SnapshotVmResult {
  /**
   * `found` if an earlier call has written the snapshot, and nothing was done.
   */
  readonly outcome: "taken" | "found";
  /** The time at which the snapshot was complete. */
  readonly takenAt: Date;
}

/**
 * Writes the state and the memory of a VM into a directory: pauses the VM,
 * takes the snapshot and resumes the VM, also after a failure. A VM that was
 * paused before stays paused. A snapshot does not contain disks: keep them with
 * `disks: "copy"`, or copy them at the same moment, in `whilePaused`.
 *
 * After a restore with `memory_restore_mode: "OnDemand"` the call first waits
 * until the VMM has filled the memory; the VM runs meanwhile.
 *
 * The directory must be missing or empty. The files are written to
 * `<directory>.partial`, of mode 0700, which is renamed when the snapshot is
 * complete.
 *
 * The call can be repeated. If an earlier call has written a complete snapshot
 * of the VM to the directory, nothing is done, and the outcome is `found`. Give
 * each new snapshot a new directory. Without events, every VM of the same VMM
 * process counts as the same VM.
 *
 * If the script of an earlier call was killed, this call removes the files of
 * that call, and resumes the VM if that call paused it. While another script
 * takes a snapshot of the VM, the call waits. For this, a file
 * `<socket>.workflow` exists during the call.
 *
 * @throws {InvalidRequestError} `directory` when it is not empty or cannot be
 * created. Nothing is changed then, and the VM is not paused. `vmm` when
 * another program resumed the VM during a copy. The disk, such as `disks[0]`,
 * that cannot be copied: a disk of vhost-user, a device, an image with a
 * relative backing file.
 * @throws {ApiError} if the VMM refuses a step, such as `not_running` if the VM
 * is not booted.
 * @throws {RollbackError} when the VM could not be resumed after a failure.
 */
export async function snapshotVm(
  vmm: Client | Vmm,
  directory: string,
  options: SnapshotVmOptions = {},
): Promise<SnapshotVmResult> {
  const target = vmmOf(vmm);
  const { client } = target;
  const { signal } = options;
  signal?.throwIfAborted();
  const path = resolve(checkPath("directory", directory));
  const call = signal && { signal };
  const identity = await identifyVmm(client, call);
  // The second place is for a socket whose directory cannot be written.
  const places = [client.socketPath, path].map(notePathOf);
  const note = await takeNote<SnapshotTask>(places, signal);
  try {
    await finishKilledSnapshot(target, identity, note, call);
    const takenAt = await timeOf(path, target, identity);
    if (takenAt) return { outcome: "found", takenAt };
    return await take({ target, identity, note, call, path }, options);
  } finally {
    note.close();
  }
}

interface Snapshot {
  readonly target: Vmm;
  readonly identity: VmmIdentity;
  readonly note: WorkflowNote<SnapshotTask>;
  readonly call: CallOptions | undefined;
  readonly path: string;
}

async function take(
  { target, identity, note, call, path }: Snapshot,
  { disks, whilePaused, signal }: SnapshotVmOptions,
): Promise<SnapshotVmResult> {
  const { client } = target;
  const { vm } = client;
  if (disks !== undefined) disksToKeep((await vm.info(call)).config);
  const task = { vmm: identity, partial: partialPathOf(path) };
  let resume = false;
  let eventsOffset: number | undefined;
  const writeTask = () => note.write({ ...task, resume, eventsOffset });
  writeTask();
  let partial: PartialSnapshot | undefined;
  const takenAt = new Date();
  try {
    signal?.throwIfAborted();
    partial = createPartial(path, note.owner, identity);
    const destination_url = `file://${partial.path}`;
    await whenMemoryIsFilled(target, async () => {
      const { state } = await vm.info(call);
      resume = state === "Running";
      eventsOffset = await lastEventOffset(target);
      writeTask();
      if (state !== "Paused" && !await pause(client, call)) {
        resume = false;
        writeTask();
      }
      try {
        await vm.snapshot({ destination_url }, call);
      } catch (error) {
        // While the VMM still fills the memory of the VM, the VM goes on.
        if (isFilling(error) && resume) {
          await ensureResumed(client);
          resume = false;
          writeTask();
        }
        throw error;
      }
    }, { signal });
    assertComplete(partial.path);
    const kept = disks && disksToKeep(toConfig(readSnapshotText(partial.path)));
    if (kept) await keepDisks(kept, partial.path, signal);
    await whilePaused?.(partial.path);
    if (kept || whilePaused) await assertPaused(client, call);
    takenAt.setTime(Date.now());
    partial.finish({
      owner: note.owner,
      vmm: identity,
      takenAt: takenAt.toISOString(),
      eventsOffset,
      disks: kept,
    });
  } catch (failure) {
    try {
      const remaining = "The VM is left paused";
      await rollBack({ failure, remaining, client }, async () => {
        if (resume) await ensureResumed(client);
      });
      note.clear();
    } finally {
      partial?.discard();
    }
    throw failure;
  }
  try {
    if (resume) await ensureResumed(client);
    note.clear();
  } catch (error) {
    // Else the next call resumes the VM.
    if (isGone(error)) note.clear();
    throw error;
  }
  return { outcome: "taken", takenAt };
}

/** The time of a complete snapshot of this VM. */
async function timeOf(
  path: string,
  vmm: Vmm,
  identity: VmmIdentity,
): Promise<Date | undefined> {
  const record = readRecord(path);
  if (!record?.takenAt || !isSameVmm(record.vmm, identity)) return undefined;
  if (await isAnotherVmSince(vmm, record.eventsOffset)) return undefined;
  assertComplete(path);
  return new Date(record.takenAt);
}

async function assertPaused(
  { vm }: Client,
  call: CallOptions | undefined,
): Promise<void> {
  const { state } = await vm.info(call);
  if (state === "Paused") return;
  throw new InvalidRequestError(
    "invalid_request",
    "vmm",
    `the VM is ${state}: another program resumed it during the snapshot, so that files which were copied meanwhile may not fit the snapshot`,
  );
}
