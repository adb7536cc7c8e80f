/** Reads an event monitor as an async iterable. */
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { checkPath } from "../arguments/path.ts";
import type { ReadEventsOptions, VmmEvent } from "./event.ts";
import { type Chunk, endOf, follow } from "./file.ts";
import { Records } from "./records.ts";
import { STOPPED, Wakeup } from "../wait/wakeup.ts";

/** A source of events. */
export type EventInput =
  | string
  | URL
  | number
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/**
 * Reads the events of a monitor: of a file by its path, of a descriptor or of a
 * stream. A file is followed while it grows, and awaited if it is missing. The
 * reader opens nothing before the first event is asked for.
 *
 * The iteration ends after the VMM's `shutdown` event, at the end of a pipe or
 * stream, or when `signal` aborts or `ended` settles. A VMM that was killed
 * reports no `shutdown`: pass `ended`, or use the `events()` of a handle, which
 * end with the VMM. Leaving a `for await` closes everything. Bytes that are no
 * event come as an {@linkcode UnreadableEvent}, and the reader goes on after
 * them. The caller has to close its descriptor; a pipe is read without
 * blocking, by another descriptor. If two readers read one pipe, each gets only
 * a part of the events. Readers that are made by `vmm.events()` of one handle
 * each get all events.
 *
 * @throws {InvalidRequestError} `source` when a text is empty or a URL.
 */
export function readEvents(
  source: EventInput,
  options: ReadEventsOptions = {},
): AsyncGenerator<VmmEvent, void, void> {
  return openEvents(source, options);
}

/** Tells when a VMM is gone, while somebody needs to know. */
export interface EndWatch {
  readonly ended: Promise<unknown>;
  stop(): void;
}

/** Reads events; the watch begins with the first event that is asked for. */
export function openEvents(
  source: EventInput,
  options: ReadEventsOptions,
  watch?: () => EndWatch,
): AsyncGenerator<VmmEvent, void, void> {
  const wakeup = new Wakeup(options.signal);
  const ends = { ended: options.ended, watch };
  const path = source instanceof URL ? fileURLToPath(source) : source;
  if (typeof path === "string" || typeof path === "number") {
    if (typeof path === "string") checkPath("source", path);
    // "now" is the time of the call, not of the first event.
    const start = startOf(path, options.from);
    const chunks = (): Chunks => follow(path, start, wakeup);
    return stoppable(read(chunks, start, wakeup, ends), wakeup);
  }
  const open = iteratorOf(path);
  const chunks = (): Chunks => pull(open(), wakeup);
  return stoppable(read(chunks, 0, wakeup, ends), wakeup);
}

type Chunks = AsyncGenerator<Chunk, void, void>;

interface Ends {
  readonly ended: Promise<unknown> | undefined;
  readonly watch: (() => EndWatch) | undefined;
}

function startOf(
  source: string | number,
  from: ReadEventsOptions["from"],
): number {
  if (from === "now") return endOf(source);
  return typeof from === "number" ? from : 0;
}

async function* read(
  chunks: () => Chunks,
  start: number,
  wakeup: Wakeup,
  ends: Ends,
): AsyncGenerator<VmmEvent, void, void> {
  const watch = ends.watch?.();
  const records = new Records(start);
  try {
    wakeup.open(ends.ended, watch?.ended);
    for await (const chunk of chunks()) {
      for (const event of chunk ? records.add(chunk) : records.restart()) {
        wakeup.throwIfEnded();
        yield event;
        if (event.source === "vmm" && event.event === "shutdown") return;
      }
    }
    yield* records.end();
  } catch (error) {
    if (error !== STOPPED) throw error;
  } finally {
    wakeup.close();
    watch?.stop();
  }
}

/** A generator whose `return()` also ends a pending `next()`. */
export function stoppable<T>(
  events: AsyncGenerator<T, void, void>,
  wakeup: Wakeup,
): AsyncGenerator<T, void, void> {
  const leave = (): Promise<IteratorResult<T, void>> => {
    wakeup.stop();
    return events.return();
  };
  return {
    next: () => events.next(),
    return: leave,
    throw: (error) => {
      wakeup.stop();
      return events.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await leave();
    },
  };
}

/** The chunks of an iterator that may be silent for a long time. */
async function* pull(chunks: AsyncIterator<unknown>, wakeup: Wakeup): Chunks {
  try {
    for (;;) {
      const { done, value } = await wakeup.race(chunks.next());
      if (done) return;
      yield value instanceof Uint8Array ? value : Buffer.from(String(value));
    }
  } finally {
    // An iterator that waits for a silent pipe would not answer.
    void chunks.return?.()?.catch(() => {});
  }
}

function iteratorOf(source: unknown): () => AsyncIterator<unknown> {
  if (source instanceof ReadableStream) return () => chunksOf(source);
  const iterable = source as AsyncIterable<unknown> | null;
  if (typeof iterable === "object" && iterable?.[Symbol.asyncIterator]) {
    return () => iterable[Symbol.asyncIterator]();
  }
  throw new TypeError(
    "readEvents takes a path, a descriptor or a stream of bytes",
  );
}

/** Not every runtime's streams can be iterated and then cancelled. */
function chunksOf(stream: ReadableStream<unknown>): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    async return() {
      await reader.cancel();
      reader.releaseLock();
      return { done: true, value: undefined };
    },
  };
}
