/** The end of a call: the caller's signal, the deadline, or both as one. */
import { schedule, unschedule } from "./deadline_timer.ts";
import type { ErrorContext } from "../errors/base_error.ts";
import { DeadlineError } from "../errors/errors.ts";

export class Deadline {
  /** Aborts with the caller's own reason or with a `DeadlineError`. */
  readonly signal: AbortSignal | undefined;
  readonly #cleanUp: (() => void) | undefined;

  constructor(
    signal: AbortSignal | undefined,
    timeoutMs: number,
    context: ErrorContext,
  ) {
    if (timeoutMs > MAX_TIMER_MS) {
      this.signal = signal;
      return;
    }
    const controller = new AbortController();
    const entry = schedule(timeoutMs, () => {
      controller.abort(new DeadlineError(timeoutMs, context));
    });
    this.signal = controller.signal;
    if (signal === undefined) {
      this.#cleanUp = () => unschedule(entry);
      return;
    }
    const forward = () => controller.abort(signal.reason);
    if (signal.aborted) forward();
    signal.addEventListener("abort", forward, { once: true });
    this.#cleanUp = () => {
      unschedule(entry);
      signal.removeEventListener("abort", forward);
    };
  }

  /** Removes the scheduled callback and the listener. */
  end(): void {
    this.#cleanUp?.();
  }
}

/** @throws {RangeError} unless `ms` is a positive number. */
export function checkDeadline(name: string, ms: number): void {
  if (typeof ms !== "number" || !(ms > 0)) {
    throw new RangeError(
      `${name} is ${ms}, not a positive number of milliseconds`,
    );
  }
}

/** A longer timer fires at once, so a longer time counts as no deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1;
