/**
 * The directory of a snapshot that is being written: `D.partial` beside `D`,
 * which becomes `D` when the snapshot is whole.
 */
import {
  chmodSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { InvalidRequestError } from "../errors/errors.ts";
import {
  cannotOpen,
  createPrivateDirectory,
} from "../vmm/private_directory.ts";
import { syncToDisk } from "../vmm/replace_file.ts";
import type { VmmIdentity } from "../vmm/vmm_identity.ts";
import { isAtWork, type NoteOwner } from "../vmm/workflow_note.ts";
import { SNAPSHOT_FILES } from "./snapshot_files.ts";
import {
  readRecord,
  RECORD_NAME,
  type SnapshotRecord,
  writeRecord,
} from "./snapshot_record.ts";

/** A snapshot that is being written. */
export interface PartialSnapshot {
  /** The absolute path of `D.partial`. */
  readonly path: string;
  /** Renames the directory to `D`. */
  finish(record: SnapshotRecord): void;
  /** Removes the directory with all files. */
  discard(): void;
}

/** The path of the directory that becomes `target`. */
export function partialPathOf(target: string): string {
  return `${target}.partial`;
}

/**
 * Creates the directory with mode 0700. One that a killed snapshot left is
 * removed before.
 *
 * @throws {InvalidRequestError} `directory` when the target is not empty, or
 * neither can be created; nothing is changed then.
 */
export function createPartial(
  target: string,
  owner: NoteOwner,
  vmm: VmmIdentity,
): PartialSnapshot {
  const path = partialPathOf(target);
  let mode: number | undefined;
  try {
    mode = modeOfEmpty(target);
    const owned = ownedBy(path);
    if (owned) removePartial(path, owned.id);
    createPrivateDirectory(path);
  } catch (error) {
    throw error instanceof InvalidRequestError
      ? error
      : cannotOpen(target, error);
  }
  writeRecord(path, { owner, vmm });
  return {
    path,
    finish(record) {
      writeRecord(path, record);
      if (mode !== undefined) chmodSync(path, mode);
      syncSnapshot(path);
      renameSync(path, target);
      syncParent(target);
    },
    discard: () => removePartial(path, owner.id),
  };
}

/**
 * Syncs all but the memory and the disks, because the VM is paused: else a
 * power loss leaves a directory with the final name and empty files. The memory
 * would take half a second and more for each GiB.
 */
function syncSnapshot(path: string): void {
  const small = SNAPSHOT_FILES.filter((name) => name.endsWith(".json"));
  for (const name of [...small, RECORD_NAME]) syncToDisk(join(path, name));
  syncToDisk(path);
}

function syncParent(target: string): void {
  try {
    syncToDisk(dirname(target));
  } catch {
    // Deno may lack the permission; then the new name comes to the disk later.
  }
}

/** Removes the directory of an owner, unless another one has it by now. */
export function removePartial(path: string, ownerId: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  const record = readRecord(path);
  if (record ? record.owner.id === ownerId : isEmpty(path)) {
    rmSync(path, { recursive: true, force: true });
  }
}

/** The mode of the target if it exists. */
function modeOfEmpty(target: string): number | undefined {
  const file = lstatSync(target, { throwIfNoEntry: false });
  if (file === undefined) return undefined;
  if (!file.isDirectory()) throw refusal(`"${target}" is no directory`);
  const [first] = readdirSync(target);
  if (first !== undefined) {
    throw refusal(`"${target}" is not empty: it contains "${first}"`);
  }
  if (statSync(dirname(target)).dev !== file.dev) {
    throw refusal(
      `"${target}" is a mount point, which cannot be replaced; give a directory in it`,
    );
  }
  return file.mode & 0o7777;
}

/** The owner of a directory that a killed snapshot left. */
function ownedBy(path: string): NoteOwner | undefined {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file === undefined) return undefined;
  const owner = file.isDirectory() ? readRecord(path)?.owner : undefined;
  if (owner === undefined) {
    if (file.isDirectory() && isEmpty(path)) return NOBODY;
    throw refusal(`"${path}" exists, and is no snapshot that was interrupted`);
  }
  if (isAtWork(owner)) {
    const { pid } = owner.process;
    throw refusal(`the process ${pid} writes another snapshot to "${path}"`);
  }
  return owner;
}

/** True if there is nothing but a record that was not written to its end. */
function isEmpty(path: string): boolean {
  return readdirSync(path).every((name) => name.startsWith(RECORD_NAME));
}

function refusal(reason: string): InvalidRequestError {
  return new InvalidRequestError("invalid_request", "directory", reason);
}

const NOBODY: NoteOwner = { id: "", process: { pid: 0 } };
