/**
 * One reader of a source for many listeners. A pipe can be read only once, so
 * two readers would take events from each other.
 */
import { closeSync, fstatSync } from "node:fs";
import type { EventReader, ReadEventsOptions, VmmEvent } from "./event.ts";
import { follow, openIfThere } from "./file.ts";
import { type EndWatch, openEvents, stoppable } from "./read.ts";
import { Records } from "./records.ts";
import { STOPPED, Wakeup } from "../wait/wakeup.ts";

/** When the events of a source end. */
export interface EndOfEvents {
  /** Settles when the VMM has ended. */
  readonly ended?: Promise<unknown>;
  /** Watches a VMM of which no process is known. */
  readonly watch?: () => EndWatch;
}

/** An event reader, and the release of its descriptor. */
export interface SharedEventReader {
  readonly events: EventReader;
  close(): void;
}

/**
 * Creates the event reader of a path. Each call reads a file from its own
 * position; all calls share the one reader of a pipe.
 */
export function createEventReader(
  path: string,
  { ended, watch }: EndOfEvents = {},
): SharedEventReader {
  let pipe: PipeReader | undefined;
  return {
    events(options = {}) {
      pipe ??= isPipe(path) ? new PipeReader(path, ended, watch) : undefined;
      if (pipe) return pipe.listen(options);
      return openEvents(path, { ended, ...options }, watch);
    },
    close: () => pipe?.close(),
  };
}

function isPipe(path: string): boolean {
  const fd = openIfThere(path);
  if (fd === undefined) return false;
  try {
    return fstatSync(fd).isFIFO();
  } finally {
    closeSync(fd);
  }
}

/** The number of old events that a listener from the start gets. */
const MAX_OLD_EVENTS = 1024;

interface Listener {
  readonly wakeup: Wakeup;
  /** The number of the next event. */
  next: number;
}

class PipeReader {
  readonly #path: string;
  readonly #ended: Promise<unknown> | undefined;
  readonly #watch: (() => EndWatch) | undefined;
  readonly #records = new Records(0);
  readonly #listeners = new Set<Listener>();
  /** The latest events; the first one has the number `#first`. */
  #events: VmmEvent[] = [];
  #first = 0;
  /** Keeps the pipe open between two reads, so that its writer can write. */
  #fd: number | undefined;
  #reading: Wakeup | undefined;
  #loop: Promise<void> | undefined;
  #hadWriter = false;
  #end: { readonly error?: unknown } | undefined;

  constructor(
    path: string,
    ended: Promise<unknown> | undefined,
    watch: (() => EndWatch) | undefined,
  ) {
    this.#path = path;
    this.#ended = ended;
    this.#watch = watch;
    this.#fd = openIfThere(path);
  }

  /** Closes the pipe when nobody listens any more. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  listen(options: ReadEventsOptions): AsyncGenerator<VmmEvent, void, void> {
    const { from = "start", signal, ended } = options;
    const wakeup = new Wakeup(signal);
    const listener: Listener = { wakeup, next: this.#numberOf(from) };
    return stoppable(this.#listen(listener, ended), wakeup);
  }

  #numberOf(from: "start" | "now" | number): number {
    if (from === "start") return this.#first;
    const end = this.#first + this.#events.length;
    if (from === "now") return end;
    const index = this.#events.findIndex(({ offset }) => offset > from);
    return index < 0 ? end : this.#first + index;
  }

  async *#listen(
    listener: Listener,
    ended: Promise<unknown> | undefined,
  ): AsyncGenerator<VmmEvent, void, void> {
    const { wakeup } = listener;
    try {
      wakeup.open(ended);
      listener.next = Math.max(listener.next, this.#first);
      this.#listeners.add(listener);
      this.#loop ??= this.#readWhileWanted();
      for (;;) {
        wakeup.reset();
        const event = this.#events[listener.next - this.#first];
        if (event === undefined) {
          if (this.#end?.error !== undefined) throw this.#end.error;
          if (this.#end || wakeup.ended) return;
          await wakeup.pause();
          continue;
        }
        listener.next++;
        yield event;
        if (event.source === "vmm" && event.event === "shutdown") return;
      }
    } catch (error) {
      if (error !== STOPPED) throw error;
    } finally {
      this.#listeners.delete(listener);
      wakeup.close();
      if (this.#listeners.size === 0) this.#reading?.stop();
    }
  }

  async #readWhileWanted(): Promise<void> {
    while (this.#listeners.size > 0 && this.#end === undefined) {
      await this.#read();
    }
    this.#loop = undefined;
  }

  /** Reads until nobody listens; the next read goes on at the same byte. */
  async #read(): Promise<void> {
    const wakeup = new Wakeup(undefined);
    const watch = this.#watch?.();
    this.#reading = wakeup;
    try {
      wakeup.open(this.#ended, watch?.ended);
      const options = { hadWriter: this.#hadWriter };
      for await (const chunk of follow(this.#path, 0, wakeup, options)) {
        this.#hadWriter = true;
        if (chunk) this.#push(this.#records.add(chunk));
      }
      this.#push(this.#records.end());
      this.#finish({});
    } catch (error) {
      if (error !== STOPPED) this.#finish({ error });
    } finally {
      this.#reading = undefined;
      wakeup.close();
      watch?.stop();
    }
  }

  #push(events: Iterable<VmmEvent>): void {
    this.#events.push(...events);
    const needed = Math.min(...[...this.#listeners].map(({ next }) => next));
    const surplus = Math.min(
      this.#events.length - MAX_OLD_EVENTS,
      needed - this.#first,
    );
    if (surplus > 0) {
      this.#events = this.#events.slice(surplus);
      this.#first += surplus;
    }
    for (const { wakeup } of this.#listeners) wakeup.notify();
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end = end;
    this.close();
    for (const { wakeup } of this.#listeners) wakeup.notify();
  }
}
