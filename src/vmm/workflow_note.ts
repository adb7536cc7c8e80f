/**
 * The note of a workflow: a file beside the VMM's socket. While a workflow has
 * the note, no other workflow takes it, and when a workflow was killed, the
 * next one reads in the note what is left to do.
 *
 * The file is a list of lines that are only ever appended, so a line is never
 * torn, and of several that claim the note of a killed workflow the first one
 * has it, in the eyes of all.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";
import { AbortScope } from "../wait/abort_scope.ts";
import { identify, type ProcessId, runs } from "./process_id.ts";

/** A workflow of a process. */
export interface NoteOwner {
  readonly id: string;
  readonly process: ProcessId;
}

/** A note that the caller has. Close each note. */
export interface WorkflowNote<T> {
  readonly owner: NoteOwner;
  /** The last task that an earlier owner wrote and did not finish. */
  readonly unfinished:
    | { readonly owner: NoteOwner; readonly task: T }
    | undefined;
  /** Writes what is left to do if the process is killed from now on. */
  write(task: T): void;
  /** Forgets all tasks. */
  clear(): void;
  /** Removes the note, or leaves it for the next workflow if it has a task. */
  close(): void;
}

/** The path of the note of a VMM. */
export function notePathOf(socketPath: string): string {
  return `${socketPath}.workflow`;
}

/**
 * Takes the note at the first of the paths that can be written, and waits while
 * another workflow has it. Where none can be written, workflows do not know of
 * each other.
 */
export async function takeNote<T>(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<WorkflowNote<T>> {
  const scope = new AbortScope({ signal });
  try {
    for (let pauseMs = MIN_PAUSE_MS;;) {
      const note = tryToTake<T>(paths);
      if (note) return note;
      await scope.pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  } finally {
    scope.close();
  }
}

/** Tells whether an owner may still be at work. */
export function isAtWork({ id, process }: NoteOwner): boolean {
  // A process of which nothing is known counts as ended: otherwise a killed
  // process would block all others.
  return active.has(id) || runs(process) === true;
}

function createOwner(): NoteOwner {
  return { id: crypto.randomUUID(), process: identify(process.pid) };
}

/** The ids of the notes that this process has. */
const active = new Set<string>();

interface Line {
  readonly id: string;
  /** A claim: the owner's process, and the owner that it follows. */
  readonly process?: ProcessId;
  readonly after?: string;
  /** A task, or `null` when there is none any more. */
  readonly task?: unknown;
  /** The owner is done, and has left its task to the next one. */
  readonly left?: true;
}

function tryToTake<T>(paths: readonly string[]): WorkflowNote<T> | undefined {
  const [path, ...others] = paths;
  if (path === undefined) return noteOfNobody();
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS, 0o600);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!UNWRITABLE.has(code)) throw error;
    return tryToTake(others);
  }
  let note: WorkflowNote<T> | undefined;
  try {
    note = claim(path, fd);
    return note;
  } finally {
    if (note === undefined) closeSync(fd);
  }
}

function claim<T>(path: string, fd: number): WorkflowNote<T> | undefined {
  const before = linesOf(fd);
  const holder = ownerOf(before);
  if (holder) {
    const isLeft = before.some(({ id, left }) => id === holder.id && left);
    if (!isLeft && isAtWork(holder)) return undefined;
  }
  const owner = createOwner();
  const after = holder && { after: holder.id };
  append(fd, { ...owner, ...after });
  const lines = linesOf(fd);
  const isOwner = (): boolean =>
    ownerOf(linesOf(fd))?.id === owner.id && isAt(path, fd);
  if (!isOwner()) return undefined;
  active.add(owner.id);
  let task: T | undefined;
  return {
    owner,
    unfinished: unfinishedOf(lines),
    write(next) {
      append(fd, { id: owner.id, task: next });
      task = next;
    },
    clear() {
      append(fd, { id: owner.id, task: null });
      task = undefined;
    },
    close() {
      active.delete(owner.id);
      try {
        if (task !== undefined) append(fd, { id: owner.id, left: true });
        else if (isOwner()) unlinkSync(path);
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** In place of a note that cannot be written: it excludes nobody. */
function noteOfNobody<T>(): WorkflowNote<T> {
  const owner = createOwner();
  return { owner, unfinished: undefined, write() {}, clear() {}, close() {} };
}

/** The first claim, or the first claim that follows it, and so on. */
function ownerOf(lines: readonly Line[]): NoteOwner | undefined {
  let owner: NoteOwner | undefined;
  for (const { id, process, after } of lines) {
    if (process && after === owner?.id) owner = { id, process };
  }
  return owner;
}

function unfinishedOf<T>(
  lines: readonly Line[],
): WorkflowNote<T>["unfinished"] {
  const last = lines.findLast(({ task }) => task !== undefined);
  if (last?.task == null) return undefined;
  const { id, task } = last;
  const claim = lines.find((line) => line.id === id && line.process);
  return claim && { owner: { id, process: claim.process! }, task: task as T };
}

function append(fd: number, line: Line): void {
  writeSync(fd, `${JSON.stringify(line)}\n`);
}

function linesOf(fd: number): Line[] {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(fd, bytes, length, bytes.length - length, length);
    if (count === 0) break;
    length += count;
  }
  return bytes.toString("utf8", 0, length).split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line);
      return typeof value?.id === "string" ? [value as Line] : [];
    } catch {
      // Another file, or the empty end.
      return [];
    }
  });
}

/** Tells whether the open file is still the one at the path. */
function isAt(path: string, fd: number): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  const { dev, ino } = fstatSync(fd);
  return file?.dev === dev && file.ino === ino;
}

const OPEN_FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT |
  constants.O_NOFOLLOW;
/** The errors of a place where nobody can write. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  "EACCES",
  "ENOENT",
  "EPERM",
  "EROFS",
]);
const MIN_PAUSE_MS = 10;
const MAX_PAUSE_MS = 250;
