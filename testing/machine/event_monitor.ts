/** The event monitor: keeps events, and writes them as a real VMM does. */
import { writeSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** An event of the monitor, parsed. */
export interface EmittedEvent {
  /** The time since the VMM started. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond the seconds. */
    readonly nanos: number;
  };
  /** `vmm`, `vm`, `virtio-device`, `vdpa` or `guest`. */
  readonly source: string;
  /** The name of the event. */
  readonly event: string;
  /** Details, or null. */
  readonly properties: Readonly<Record<string, string>> | null;
}

/** Keeps all events, and writes them to a descriptor if one is given. */
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

  /** Emits an event of a source. */
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
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves to the first event of this name, in the past or the future. */
  wait(name: string): Promise<EmittedEvent> {
    return new Promise((resolve) => {
      const check = () => {
        const first = this.#log.find(({ event }) => event === name);
        if (first === undefined) return;
        this.#waiting.delete(check);
        resolve(first);
      };
      this.#waiting.add(check);
      check();
    });
  }

  #write(text: string): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, text);
    } catch {
      // A full pipe, or one without a reader, loses events as in a real VMM.
    }
  }
}
