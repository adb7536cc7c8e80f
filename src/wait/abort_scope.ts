/** One signal for everything that can end a wait. */
import { checkDeadline } from "./deadline.ts";
import { DeadlineError } from "../errors/errors.ts";
import { onSettled } from "./on_settled.ts";

/** The two limits that a caller can give to a wait. */
export interface AbortScopeOptions {
  /** When this signal aborts, the scope ends with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default: `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

/** Creates the error of a wait that timed out. */
export type TimeoutReason = (timeoutMs: number) => unknown;

/** Close every scope that was constructed: it keeps a timer and a listener. */
export class AbortScope {
  readonly #controller = new AbortController();
  readonly #cleanUps: (() => void)[] = [];

  /** @throws {RangeError} unless the time is positive; the signal's reason. */
  constructor(
    { signal, timeoutMs = Infinity }: AbortScopeOptions,
    timeoutReason: TimeoutReason = (ms) => new DeadlineError(ms, {}),
  ) {
    checkDeadline("timeoutMs", timeoutMs);
    signal?.throwIfAborted();
    if (signal) {
      const forward = (): void => this.abort(signal.reason);
      signal.addEventListener("abort", forward, { once: true });
      this.#cleanUps.push(() => signal.removeEventListener("abort", forward));
    }
    if (timeoutMs < 2 ** 31) {
      const onTimeout = (): void => this.abort(timeoutReason(timeoutMs));
      const timer = setTimeout(onTimeout, timeoutMs);
      this.#cleanUps.push(() => clearTimeout(timer));
    }
  }

  /** Aborted by the caller, by the deadline or by {@linkcode abort}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the scope, unless it has ended. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Ends the scope when the promise settles. */
  abortOnSettled<T>(
    promise: Promise<T>,
    toReason: (value: T) => unknown,
  ): void {
    const end = (value: unknown): void => this.abort(toReason(value as T));
    this.#cleanUps.push(onSettled(promise, end));
  }

  /** Rejects with the scope's reason, if the scope ends before the promise. */
  async race<T>(promise: Promise<T>): Promise<T> {
    // Nobody handles its rejection when the scope has ended already.
    promise.catch(() => {});
    this.signal.throwIfAborted();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const stop = () => reject(this.signal.reason);
    this.signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([promise, ended]);
    } finally {
      this.signal.removeEventListener("abort", stop);
    }
  }

  /** Waits for the time or the promise; rejects when the scope ends. */
  async pause(ms: number, wakeup?: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    try {
      await this.race(wakeup ? Promise.race([promise, wakeup]) : promise);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Removes the listener and the timer, and aborts the signal. */
  close(): void {
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#controller.abort(new DOMException("done", "AbortError"));
  }
}
