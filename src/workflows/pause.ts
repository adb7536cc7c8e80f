/** The pause of a VM during a snapshot. */
import type { Client } from "../client/create_client.ts";
import { ApiError } from "../errors/errors.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { isSameVmm, type VmmIdentity } from "../vmm/vmm_identity.ts";
import { infoOf } from "../vmm/vm_info.ts";
import type { WorkflowNote } from "../vmm/workflow_note.ts";
import { removePartial } from "./partial_snapshot.ts";
import { hasRunSince } from "./past_events.ts";

/** The task of a snapshot that was killed: to resume and to clean. */
export interface SnapshotTask {
  readonly vmm: VmmIdentity;
  /** The directory that is being written. */
  readonly partial: string;
  /** True if the snapshot pauses the VM, and not its user. */
  readonly resume: boolean;
  /** The position of the last event before the pause. */
  readonly eventsOffset?: number | undefined;
}

/** Pauses a VM; resolves to false if somebody else has paused it just now. */
export async function pause(
  { vm }: Client,
  options: CallOptions | undefined,
): Promise<boolean> {
  try {
    await vm.pause(options);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { state } = await vm.info(options);
    if (state !== "Paused") throw error;
    return false;
  }
}

/** Resumes a VM, which may not have been paused. */
export async function ensureResumed({ vm }: Client): Promise<void> {
  try {
    await vm.resume();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { state } = await vm.info();
    if (state !== "Running") throw error;
  }
}

/**
 * Does what a killed snapshot has left: resumes the VM if that snapshot paused
 * it and nobody else has resumed it since, and removes the directory.
 */
export async function finishKilledSnapshot(
  vmm: Vmm,
  identity: VmmIdentity,
  note: WorkflowNote<SnapshotTask>,
  options: CallOptions | undefined,
): Promise<void> {
  const { unfinished } = note;
  if (unfinished === undefined) return;
  const { owner, task } = unfinished;
  if (task.resume && isSameVmm(task.vmm, identity)) {
    const info = await infoOf(vmm.client.vm, options);
    if (
      info?.state === "Paused" && !await hasRunSince(vmm, task.eventsOffset)
    ) {
      await ensureResumed(vmm.client);
    }
  }
  try {
    removePartial(task.partial, owner.id);
  } catch {
    // This script may have no access to the directory of another one.
  }
  note.clear();
}
