/** Locks on disk images, which every fake VMM of the host respects. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A lock on a disk image. */
export interface Lock {
  release(): void;
}

/**
 * Locks an image for reading or writing.
 *
 * A lock is a file that names its process, so that other processes see the lock
 * and a dead process loses it.
 *
 * @returns undefined if another VMM holds a lock that excludes this one.
 */
export function lockImage(path: string, readonly: boolean): Lock | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined
    ? lockName(path, readonly)
    : lockInode(`${stat.dev}-${stat.ino}`, readonly);
}

/** The locks of this process on images that only count as present. */
const names = new Map<string, { readers: number; writer: boolean }>();

function lockName(path: string, readonly: boolean): Lock | undefined {
  const holders = names.get(path) ?? { readers: 0, writer: false };
  if (holders.writer || !readonly && holders.readers > 0) return undefined;
  if (readonly) holders.readers++;
  else holders.writer = true;
  names.set(path, holders);
  return {
    release: () => {
      if (readonly) holders.readers--;
      else holders.writer = false;
      if (holders.readers === 0 && !holders.writer) names.delete(path);
    },
  };
}

let count = 0;

function lockInode(inode: string, readonly: boolean): Lock | undefined {
  const directory = lockDirectory();
  const mode = readonly ? "r" : "w";
  const name = `${inode}.${mode}.${process.pid}.${count++}`;
  const release = () => {
    rmSync(join(directory, name), { force: true });
    try {
      rmdirSync(directory);
    } catch {
      // Other locks are left.
    }
  };
  // Written before the others are read: of two at once, none gets the lock.
  writeLock(directory, name);
  for (const other of readdirSync(directory)) {
    const [key, otherMode, pid] = other.split(".");
    // Of every image, so that killed processes leave nothing behind.
    const held = other !== name && isHeld(join(directory, other), Number(pid));
    const shared = readonly && otherMode === "r";
    if (!held || key !== inode || shared) continue;
    release();
    return undefined;
  }
  return { release };
}

function writeLock(directory: string, name: string): void {
  for (let attempts = 0;; attempts++) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      return writeFileSync(join(directory, name), startOf(process.pid) ?? "");
    } catch (error) {
      // Another process has removed the empty directory meanwhile.
      const { code } = error as { code?: string };
      if (code !== "ENOENT" || attempts === ATTEMPTS) throw error;
    }
  }
}

const ATTEMPTS = 100;

/** Returns whether the process of a lock lives; removes the lock if not. */
function isHeld(path: string, pid: number): boolean {
  let start: string;
  try {
    start = readFileSync(path, "utf8");
  } catch {
    return false;
  }
  const actual = startOf(pid);
  // A lock is empty while its process writes it.
  if (actual !== undefined && (start === actual || start === "")) return true;
  rmSync(path, { force: true });
  return false;
}

/** The start time of a process, which tells it from a later one of its id. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function lockDirectory(): string {
  const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  return join(base, `fake-vmm-locks-${process.getuid?.() ?? 0}`);
}
