/** Follows a file that grows, or reads a pipe, in chunks of bytes. */
import { Buffer } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Wakeup } from "../wait/wakeup.ts";
import { ENDED, type OpenSource, openSource } from "./open_source.ts";
import { isZero } from "./records.ts";

/** A chunk of bytes; `undefined` says that the file begins anew. */
export type Chunk = Uint8Array | undefined;

/** Options of {@linkcode follow}. */
export interface FollowOptions {
  /** An end of the pipe is the end of the events: a writer was there. */
  readonly hadWriter?: boolean;
}

/**
 * Follows a file from a position on, until the VMM has ended. A missing file is
 * awaited. A file that was replaced, or that got shorter, is read from its
 * beginning. A pipe is read to its end.
 */
export async function* follow(
  source: string | number,
  position: number,
  wakeup: Wakeup,
  { hadWriter = false }: FollowOptions = {},
): AsyncGenerator<Chunk, void, void> {
  let at = position;
  let chunkBytes = CHUNK_BYTES;
  let opened = await openWhenThere(source, wakeup, hadWriter);
  if (opened === undefined) return;
  try {
    for (;;) {
      const { ended } = wakeup;
      wakeup.reset();
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const size = await opened.read(buffer, at);
      if (size > 0) {
        at += size;
        const chunk = buffer.subarray(0, size);
        // A file that was truncated under its writer begins with a hole.
        chunkBytes = size === chunkBytes && isZero(chunk)
          ? Math.min(2 * chunkBytes, MAX_CHUNK_BYTES)
          : CHUNK_BYTES;
        yield chunk;
        continue;
      }
      if (size === ENDED) return;
      if (opened.isReplaced()) {
        opened.close();
        opened = await openWhenThere(source, wakeup, hadWriter);
        if (opened === undefined) return;
        at = 0;
        yield undefined;
      } else if (opened.isShorter(at)) {
        at = 0;
        yield undefined;
      } else if (ended) return;
      else await wakeup.pause(opened.pollMs);
    }
  } finally {
    opened?.close();
  }
}

/** The end of a file, or the beginning of the record that is being written. */
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

async function openWhenThere(
  source: string | number,
  wakeup: Wakeup,
  hadWriter: boolean,
): Promise<OpenSource | undefined> {
  for (;;) {
    const { ended } = wakeup;
    wakeup.reset();
    const fd = typeof source === "number" ? source : openIfThere(source);
    if (fd !== undefined) return openSource(source, fd, wakeup, hadWriter);
    if (ended) return undefined;
    await wakeup.pause(MISSING_MS);
  }
}

/** Opens a path without blocking; undefined where nothing exists. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

const CHUNK_BYTES = 1 << 16;
const MAX_CHUNK_BYTES = 1 << 22;
const MISSING_MS = 20;
