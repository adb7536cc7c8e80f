/** The file that says of which VM a snapshot is, and when it was taken. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../vmm/replace_file.ts";
import type { VmmIdentity } from "../vmm/vmm_identity.ts";
import type { KeptDisk } from "./kept_disks.ts";
import type { NoteOwner } from "../vmm/workflow_note.ts";

/** The name of the file. */
export const RECORD_NAME = "snapshot.json";

/** The content of the file; without `takenAt` the snapshot is not whole. */
export interface SnapshotRecord {
  /** The workflow that writes or wrote the snapshot. */
  readonly owner: NoteOwner;
  readonly vmm: VmmIdentity;
  /** An ISO 8601 time. */
  readonly takenAt?: string;
  /** The position of the last event before the snapshot. */
  readonly eventsOffset?: number | undefined;
  /** The disks of which the snapshot has copies. */
  readonly disks?: readonly KeptDisk[] | undefined;
}

/** Reads the record of a directory; undefined where there is none. */
export function readRecord(directory: string): SnapshotRecord | undefined {
  try {
    const text = readFileSync(join(directory, RECORD_NAME), "utf8");
    const { owner, vmm, ...rest } = JSON.parse(text) as SnapshotRecord;
    if (typeof owner?.id !== "string" || typeof vmm?.pid !== "number") {
      return undefined;
    }
    return { owner, vmm, ...rest };
  } catch (error) {
    const { code = "" } = error as { code?: string };
    const isAbsent = ["ENOENT", "ENOTDIR"].includes(code);
    if (isAbsent || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes the record, so that it is there as a whole or not at all. */
export function writeRecord(directory: string, record: SnapshotRecord): void {
  const path = join(directory, RECORD_NAME);
  replaceFile(path, `${JSON.stringify(record, undefined, 2)}\n`);
}
