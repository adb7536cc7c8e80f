/** The end of a wait, whatever brings it, as one signal. */
import { checkDeadline } from "./deadline.ts";
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import { onSettled } from "./on_settled.ts";

/** What ends the scope, besides the process. */
export interface AbortScopeOptions {
  /** Its abort ends the scope with the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default: `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

export class AbortScope {
  readonly #controller = new AbortController();
  readonly #cleanUps: (() => void)[] = [];

  /** @throws {RangeError} unless the time is positive; the signal's reason. */
  constructor(
    goal: string,
    options: AbortScopeOptions,
    exited?: Promise<VmmExit>,
  ) {
    const { signal, timeoutMs = Infinity } = options;
    checkDeadline("timeoutMs", timeoutMs);
    signal?.throwIfAborted();
    const end = (reason: unknown) => this.#controller.abort(reason);
    if (signal) {
      const forward = () => end(signal.reason);
      signal.addEventListener("abort", forward, { once: true });
      this.#cleanUps.push(() => signal.removeEventListener("abort", forward));
    }
    if (timeoutMs < 2 ** 31) {
      const late = () => end(new DeadlineError(timeoutMs, {}, goal));
      const timer = setTimeout(late, timeoutMs);
      this.#cleanUps.push(() => clearTimeout(timer));
    }
    if (exited) {
      const gone = (exit: unknown) => end(new VmmExitedError(exit as VmmExit));
      this.#cleanUps.push(onSettled(exited, gone));
    }
  }

  /** Aborted by the caller, the deadline or the process's end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects with what ended the scope, if that comes before the promise. */
  async race<T>(promise: Promise<T>): Promise<T> {
    // Nobody waits for it when the scope has ended before.
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

  /** Waits, or rejects with what ended the scope. */
  async pause(ms: number, wake?: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    try {
      await this.race(wake ? Promise.race([promise, wake]) : promise);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets go of the signal and the timer, and ends what listens to it. */
  close(): void {
    for (const leave of this.#cleanUps) leave();
    this.#controller.abort(new DOMException("done", "AbortError"));
  }
}
