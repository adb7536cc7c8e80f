/** A file that grows, or a pipe, as chunks of bytes. */
import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  type FSWatcher,
  openSync,
  read as readCallback,
  readSync,
  statSync,
  watch,
} from "node:fs";
import type { Wakeup } from "../wait/wakeup.ts";

/** Chunks as they come; `undefined` says that the file begins anew. */
export type Chunk = Uint8Array | undefined;

/**
 * Follows a file from a position on, until the VMM has ended. A path is waited
 * for where nothing is, and begun anew where another file takes its place; a
 * file that gets shorter is begun anew. A pipe is read to its end.
 */
export async function* follow(
  source: string | number,
  position: number,
  turn: Wakeup,
): AsyncGenerator<Chunk, void, void> {
  let at = position;
  let opened = await openWhenThere(source, turn);
  if (opened === undefined) return;
  try {
    for (;;) {
      const { ended } = turn;
      turn.reset();
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const size = await opened.read(chunk, at);
      if (size > 0) {
        at += size;
        yield chunk.subarray(0, size);
        continue;
      }
      if (size === ENDED) return;
      if (opened.isReplaced()) {
        opened.close();
        opened = await openWhenThere(source, turn);
        if (opened === undefined) return;
        at = 0;
        yield undefined;
      } else if (opened.isShorter(at)) {
        at = 0;
        yield undefined;
      } else if (ended) return;
      else await turn.pause(opened.quietMs);
    }
  } finally {
    opened?.close();
  }
}

/** Where a file ends now, or the record begins that is being written. */
export function endOf(source: string | number): number {
  const fd = typeof source === "number" ? source : openIfThere(source);
  if (fd === undefined) return 0;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return 0;
    const tail = Buffer.alloc(Math.min(stat.size, CHUNK_BYTES));
    const start = stat.size - tail.length;
    readSync(fd, tail, 0, tail.length, start);
    const end = tail.lastIndexOf("\n\n");
    if (end >= 0) return start + end + 2;
    return start > 0 ? stat.size : 0;
  } finally {
    if (typeof source !== "number") closeSync(fd);
  }
}

/** Something open. */
interface Opened {
  /** After how long it is looked at of which nothing was heard. */
  readonly quietMs: number;
  /** How many bytes were read: 0 for none now, or {@linkcode ENDED}. */
  read(into: Buffer, at: number): Promise<number>;
  isShorter(at: number): boolean;
  isReplaced(): boolean;
  close(): void;
}

const ENDED = -1;

async function openWhenThere(
  source: string | number,
  turn: Wakeup,
): Promise<Opened | undefined> {
  for (;;) {
    const { ended } = turn;
    turn.reset();
    const fd = typeof source === "number" ? source : openIfThere(source);
    if (fd !== undefined) return openedOf(source, fd, turn);
    if (ended) return undefined;
    await turn.pause(MISSING_MS);
  }
}

function openedOf(source: string | number, fd: number, turn: Wakeup): Opened {
  const stat = fstatSync(fd);
  const own = typeof source === "string";
  if (!stat.isFile()) return own ? pipeOf(fd, 0) : pipeOf(reopen(fd), ENDED);
  const watcher = own ? tryWatch(source, turn) : undefined;
  return {
    quietMs: watcher ? QUIET_MS : POLL_MS,
    read: (into, at) => read(fd, into, at),
    isShorter: (at) => fstatSync(fd).size < at,
    isReplaced() {
      if (!own) return false;
      const now = statSync(source, { throwIfNoEntry: false });
      return now !== undefined && now.ino !== stat.ino;
    },
    close() {
      watcher?.close();
      if (own) closeSync(fd);
    },
  };
}

/**
 * A blocked read would keep a script from its end, so pipes are polled. A named
 * one without a writer has not ended before somebody wrote.
 */
function pipeOf(fd: number, silence: number): Opened {
  let atEnd = silence;
  return {
    quietMs: POLL_MS,
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

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The same pipe without blocking, which the caller's own may do. */
function reopen(fd: number): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return openSync(`/proc/self/fd/${fd}`, flags);
}

function tryWatch(path: string, turn: Wakeup): FSWatcher | undefined {
  try {
    const watcher = watch(path, () => turn.notify());
    watcher.on("error", () => {});
    return watcher;
  } catch {
    // Where there are no watches left.
    return undefined;
  }
}

const CHUNK_BYTES = 1 << 16;
/** Bun's watcher drops a change that follows another at once. */
const QUIET_MS = 250;
const POLL_MS = 20;
const MISSING_MS = 20;
