/** An open file or pipe, and the news about it. */
import type { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  type FSWatcher,
  openSync,
  read as readCallback,
  statSync,
  watch,
} from "node:fs";
import type { Wakeup } from "../wait/wakeup.ts";

export interface OpenSource {
  /** The poll interval while no change notification arrives. */
  readonly pollMs: number;
  /** The number of bytes: 0 for none yet, or {@linkcode ENDED}. */
  read(into: Buffer, at: number): Promise<number>;
  isShorter(at: number): boolean;
  isReplaced(): boolean;
  close(): void;
}

/** The result of a read at the end of a pipe. */
export const ENDED = -1;

/** `source` is the path or the descriptor behind `fd`. */
export function openSource(
  source: string | number,
  fd: number,
  wakeup: Wakeup,
  hadWriter: boolean,
): OpenSource {
  const stat = fstatSync(fd);
  const isPath = typeof source === "string";
  if (!stat.isFile()) {
    // A named pipe that nobody has opened for writing has not ended yet.
    return isPath
      ? pipeOf(fd, hadWriter ? ENDED : 0)
      : pipeOf(reopen(fd), ENDED);
  }
  const watcher = isPath ? tryWatch(source, wakeup) : undefined;
  return {
    pollMs: watcher ? WATCHED_POLL_MS : POLL_MS,
    read: (into, at) => read(fd, into, at),
    isShorter: (at) => fstatSync(fd).size < at,
    isReplaced() {
      if (!isPath) return false;
      const now = statSync(source, { throwIfNoEntry: false });
      return now !== undefined && now.ino !== stat.ino;
    },
    close() {
      watcher?.close();
      if (isPath) closeSync(fd);
    },
  };
}

/** A blocked read would keep the script alive, so pipes are polled. */
function pipeOf(fd: number, atEndBefore: number): OpenSource {
  let atEnd = atEndBefore;
  return {
    pollMs: POLL_MS,
    async read(into) {
      try {
        const size = await read(fd, into, null);
        if (size > 0) atEnd = ENDED;
        return size > 0 ? size : atEnd;
      } catch (error) {
        if ((error as { code?: unknown }).code === "EAGAIN") return 0;
        throw error;
      }
    },
    isShorter: () => false,
    isReplaced: () => false,
    close: () => closeSync(fd),
  };
}

function read(fd: number, into: Buffer, at: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    readCallback(fd, into, 0, into.length, at, (error, size) => {
      if (error) reject(error);
      else resolve(size);
    });
  });
}

/** Opens the same pipe without blocking; the caller's descriptor may block. */
function reopen(fd: number): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return openSync(`/proc/self/fd/${fd}`, flags);
}

function tryWatch(path: string, wakeup: Wakeup): FSWatcher | undefined {
  try {
    const watcher = watch(path, () => wakeup.notify());
    watcher.on("error", () => {});
    return watcher;
  } catch {
    // The host has no watches left.
    return undefined;
  }
}

/** Bun's watcher drops a change that follows another one at once. */
const WATCHED_POLL_MS = 250;
const POLL_MS = 20;
