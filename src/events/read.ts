/** An event monitor as an async iterable. */
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import type { ReadEventsOptions, VmmEvent } from "./event.ts";
import { type Chunk, endOf, follow } from "./file.ts";
import { Records } from "./records.ts";
import { STOPPED, Wakeup } from "../wait/wakeup.ts";

/** Where events are read from. */
export type EventInput =
  | string
  | URL
  | number
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/**
 * Reads the events of a monitor: of a file by its path, of a descriptor, or of
 * a stream. A file is followed while it grows, and waited for if it is not
 * there yet. Nothing is opened before the first event is asked for.
 *
 * It ends after the VMM's own `shutdown`, at the end of a pipe or stream, and
 * as the options say; leaving a `for await` lets go of everything. What is no
 * event comes as an {@linkcode UnreadableEvent}, and reading goes on. A
 * descriptor stays the caller's to close; that of a pipe is read without
 * blocking, by another one of the same pipe.
 */
export function readEvents(
  source: EventInput,
  options: ReadEventsOptions = {},
): AsyncGenerator<VmmEvent, void, void> {
  const turn = new Wakeup(options.signal);
  const path = source instanceof URL ? fileURLToPath(source) : source;
  if (typeof path === "string" || typeof path === "number") {
    // Now is when this is called, not when the first event is asked for.
    const start = options.from === "now" ? endOf(path) : 0;
    const chunks = (): Chunks => follow(path, start, turn);
    return leavable(read(chunks, start, turn, options.ended), turn);
  }
  const open = opener(path);
  const chunks = (): Chunks => pull(open(), turn);
  return leavable(read(chunks, 0, turn, options.ended), turn);
}

type Chunks = AsyncGenerator<Chunk, void, void>;

async function* read(
  chunks: () => Chunks,
  start: number,
  turn: Wakeup,
  ended: Promise<unknown> | undefined,
): AsyncGenerator<VmmEvent, void, void> {
  turn.open(ended);
  const records = new Records(start);
  try {
    for await (const chunk of chunks()) {
      for (const event of chunk ? records.add(chunk) : records.restart()) {
        turn.throwIfEnded();
        yield event;
        if (event.source === "vmm" && event.event === "shutdown") return;
      }
    }
    yield* records.end();
  } catch (error) {
    if (error !== STOPPED) throw error;
  } finally {
    turn.close();
  }
}

/** A generator's own return() waits for what it is waiting for. */
function leavable(
  events: AsyncGenerator<VmmEvent, void, void>,
  turn: Wakeup,
): AsyncGenerator<VmmEvent, void, void> {
  const leave = (): Promise<IteratorResult<VmmEvent, void>> => {
    turn.stop();
    return events.return();
  };
  return {
    next: () => events.next(),
    return: leave,
    throw: (error) => {
      turn.stop();
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

/** The chunks of an iterator that may be silent for long. */
async function* pull(chunks: AsyncIterator<unknown>, turn: Wakeup): Chunks {
  try {
    for (;;) {
      const { done, value } = await turn.race(chunks.next());
      if (done) return;
      yield value instanceof Uint8Array ? value : Buffer.from(String(value));
    }
  } finally {
    // One that waits for a silent pipe would not answer.
    void chunks.return?.()?.catch(() => {});
  }
}

function opener(source: unknown): () => AsyncIterator<unknown> {
  if (source instanceof ReadableStream) return () => chunksOf(source);
  const iterable = source as AsyncIterable<unknown> | null;
  if (typeof iterable === "object" && iterable?.[Symbol.asyncIterator]) {
    return () => iterable[Symbol.asyncIterator]();
  }
  throw new TypeError(
    "events are read from a path, a descriptor or a stream of bytes",
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
