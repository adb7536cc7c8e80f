/** Keeps the files of a long-lived VMM small. */
import { Buffer } from "node:buffer";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { setInterval } from "node:timers";

/** The sizes in bytes from which the files are emptied. */
export interface FileLimits {
  readonly stderr: number;
  readonly events: number;
  /** The size at which the events do not wait for slow readers any more. */
  readonly unreadEvents: number;
}

export const FILE_LIMITS: FileLimits = {
  stderr: 1 << 20,
  events: 16 << 20,
  unreadEvents: 64 << 20,
};

export class BoundedFiles {
  readonly #stderrPath: string;
  readonly #eventsPath: string;
  readonly #limits: FileLimits;
  readonly #readers: Set<{ readonly offset: number }> = new Set();
  /** The end of the stderr that was removed. */
  #stderrBefore: Buffer = Buffer.alloc(0);
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    stderrPath: string,
    eventsPath: string,
    limits: FileLimits = FILE_LIMITS,
  ) {
    this.#stderrPath = stderrPath;
    this.#eventsPath = eventsPath;
    this.#limits = limits;
  }

  /** Begins to check the files each second; does not keep a script alive. */
  start(): void {
    this.#timer = setInterval(() => this.check(), INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The last 8 KiB of stderr. */
  stderr(): string {
    const tail =
      withFile(this.#stderrPath, "r", (fd, size) => tailOf(fd, size)) ??
        Buffer.alloc(0);
    return Buffer.concat([this.#stderrBefore, tail]).subarray(-TAIL_BYTES)
      .toString();
  }

  /** Registers a reader of the events, which must not lose any. */
  addReader(reader: { readonly offset: number }): () => void {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  /** Empties files that are too long. */
  check(): void {
    withFile(this.#stderrPath, "r+", (fd, size) => {
      if (size <= this.#limits.stderr) return;
      this.#stderrBefore = tailOf(fd, size);
      ftruncateSync(fd, 0);
    });
    withFile(this.#eventsPath, "r+", (fd, size, usedBytes) => {
      if (usedBytes <= this.#limits.events) return;
      const isBehind = [...this.#readers].some(({ offset }) => offset < size);
      if (isBehind && usedBytes <= this.#limits.unreadEvents) return;
      if (!tailOf(fd, size).toString("latin1").endsWith("\n\n")) return;
      // The VMM goes on at its position, so the size stays: readers that are
      // at the end notice nothing, and the hole needs no space.
      ftruncateSync(fd, 0);
      writeSync(fd, Buffer.from("\n"), 0, 1, size - 1);
    });
  }
}

function withFile<T>(
  path: string,
  flags: string,
  action: (fd: number, size: number, usedBytes: number) => T,
): T | undefined {
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch {
    return undefined;
  }
  try {
    const { size, blocks } = fstatSync(fd);
    return action(fd, size, Math.min(size, blocks * BLOCK_BYTES));
  } finally {
    closeSync(fd);
  }
}

function tailOf(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const count = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
  return bytes.subarray(0, count);
}

const TAIL_BYTES = 8192;
const INTERVAL_MS = 1000;
/** The unit of `stat`'s `blocks`. */
const BLOCK_BYTES = 512;
