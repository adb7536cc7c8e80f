/**
 * Lets one script at a time start or end the VMM of a directory. A script
 * announces itself by a file, and then looks for the files of others: of two
 * scripts, at least one sees the other. A file names its process, so the files
 * of dead scripts are told from those of others, and each name is used once.
 */
import {
  closeSync,
  openSync,
  readdirSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setInterval } from "node:timers";
import type { AbortScope } from "../wait/abort_scope.ts";
import { identify, type ProcessId, runs } from "../vmm/process_id.ts";
import { removeFile } from "./record.ts";

/** A lock that this script holds. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Waits until no other script holds the directory. Calls `create` before each
 * try, because the script before may have removed the directory. A lock that is
 * not touched for `deadMs` counts as dead if its process cannot be compared.
 */
export async function lockDirectory(
  path: string,
  create: () => void,
  scope: AbortScope,
  deadMs: number = DEAD_MS,
): Promise<DirectoryLock> {
  const observed: Observations = { deadMs, files: new Map() };
  for (;;) {
    create();
    if (!isHeld(path, observed)) {
      const lock = announce(path);
      if (lock && !isHeld(path, observed, lock.name)) return lock;
      lock?.release();
    }
    // Scripts that see each other pause for different times.
    await scope.pause(PAUSE_MS * (0.2 + Math.random()));
  }
}

/** The names of the files of locks, also of dead scripts. */
export function isLockFile(name: string): boolean {
  return LOCK_NAME.test(name);
}

interface OwnLock extends DirectoryLock {
  readonly name: string;
}

/** Returns undefined if the directory was removed just now. */
function announce(path: string): OwnLock | undefined {
  const { pid, startTime = 0, bootId = "" } = identify(process.pid);
  const unique = Math.random().toString(36).slice(2);
  const name = `lock.${pid}.${startTime}.${bootId}.${unique}`;
  const file = join(path, name);
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
  const timer = setInterval(() => touch(file), BEAT_MS);
  timer.unref();
  return {
    name,
    release() {
      clearInterval(timer);
      removeFile(file);
    },
  };
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // Somebody has removed the directory.
  }
}

/** Removes the files of dead scripts; true if another script lives. */
function isHeld(
  path: string,
  observed: Observations,
  own?: string,
): boolean {
  return namesIn(path).filter((name) => isLockFile(name) && name !== own)
    .map((name) => {
      const isAlive = runs(ownerOf(name)) ??
        isBeating(join(path, name), observed);
      if (!isAlive) removeFile(join(path, name));
      return isAlive;
    }).includes(true);
}

/** Empty if somebody has removed the directory just now. */
function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}

function ownerOf(name: string): ProcessId {
  const [, pid, startTime, bootId] = LOCK_NAME.exec(name)!;
  return {
    pid: Number(pid),
    startTime: Number(startTime) || undefined,
    bootId: bootId || undefined,
  };
}

/** The times at which the files of locks were touched. */
interface Observations {
  readonly deadMs: number;
  readonly files: Map<string, Observation>;
}

interface Observation {
  readonly mtimeMs: number;
  /** By a clock that stands while the machine sleeps. */
  readonly since: number;
}

/** A lock that is not touched is dead, if processes cannot be compared. */
function isBeating(
  file: string,
  observed: Observations,
): boolean {
  const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (mtimeMs === undefined) return false;
  const now = performance.now();
  const before = observed.files.get(file);
  if (before?.mtimeMs === mtimeMs) return now - before.since < observed.deadMs;
  observed.files.set(file, { mtimeMs, since: now });
  return true;
}

const LOCK_NAME = /^lock\.(\d+)\.(\d+)\.([\da-f-]*)\.\w+$/;
const PAUSE_MS = 40;
const BEAT_MS = 1000;
const DEAD_MS = 5 * BEAT_MS;
