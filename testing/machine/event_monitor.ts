/** The event monitor: what happens, in the form in which it is written. */
import { writeSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** An event, as a line of the monitor would be parsed. */
export interface EmittedEvent {
  /** Since the VMM started. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond them. */
    readonly nanos: number;
  };
  /** `vmm`, `vm`, `virtio-device`, `vdpa` or `guest`. */
  readonly source: string;
  /** What happened. */
  readonly event: string;
  /** More about it, or null. */
  readonly properties: Readonly<Record<string, string>> | null;
}

/** Keeps the events, and writes them to a descriptor if there is one. */
export class EventMonitor {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #fd: number | undefined;
  readonly #log: EmittedEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, fd?: number) {
    this.#clock = clock;
    this.#start = clock.now();
    this.#fd = fd;
  }

  /** All events so far, oldest first. */
  get log(): readonly EmittedEvent[] {
    return this.#log;
  }

  /** Adds an event of a source. */
  emit(
    source: string,
    event: string,
    properties: Readonly<Record<string, string>> | null = null,
  ): void {
    const ms = this.#clock.now() - this.#start;
    const secs = Math.floor(ms / 1000);
    const nanos = Math.floor((ms - secs * 1000) * 1e6);
    const entry = { timestamp: { secs, nanos }, source, event, properties };
    this.#log.push(entry);
    this.#write(`${JSON.stringify(entry, null, 2)}\n\n`);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves to the first event of this name, past or to come. */
  wait(name: string): Promise<EmittedEvent> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.#log.find(({ event }) => event === name);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #write(text: string): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, text);
    } catch {
      // A full pipe or a gone reader loses events, as in the real one.
    }
  }
}
