/** Counts what a call may leave behind in its own process. */
import { readdirSync } from "node:fs";

/** A signal that knows how many listen to it. */
export class Watch {
  readonly #controller: AbortController = new AbortController();
  readonly #listening: Set<unknown> = new Set();

  constructor() {
    const { signal } = this;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]): void => {
      if (args[0] === "abort") this.#listening.add(args[1]);
      addEventListener.apply(signal, args as never);
    };
    signal.removeEventListener = (...args: unknown[]): void => {
      if (args[0] === "abort") this.#listening.delete(args[1]);
      removeEventListener.apply(signal, args as never);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get listeners(): number {
    return this.#listening.size;
  }
}

/** The number of timers that `body` leaves running. */
export async function timersLeft(body: () => Promise<void>): Promise<number> {
  const { setTimeout, clearTimeout } = globalThis;
  const running = new Set<unknown>();
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    const timer = setTimeout(() => {
      running.delete(timer);
      run();
    }, ms);
    running.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer) => {
    running.delete(timer);
    clearTimeout(timer as never);
  }) as typeof clearTimeout;
  try {
    await body();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
  return running.size;
}

/** The number of open files of this process. */
export function files(): number {
  return readdirSync("/proc/self/fd").length;
}
