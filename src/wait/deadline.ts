/** When a call gives up: the caller's signal, the deadline, or both as one. */
import { schedule, unschedule } from "./deadline_timer.ts";
import { DeadlineError, type ErrorContext } from "../errors/errors.ts";

export class Deadline {
  /** Aborts with the caller's own reason or with a `DeadlineError`. */
  readonly signal: AbortSignal | undefined;
  readonly #end: (() => void) | undefined;

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
    const alarm = schedule(timeoutMs, () => {
      controller.abort(new DeadlineError(timeoutMs, context));
    });
    this.signal = controller.signal;
    if (signal === undefined) {
      this.#end = () => unschedule(alarm);
      return;
    }
    const forward = () => controller.abort(signal.reason);
    if (signal.aborted) forward();
    signal.addEventListener("abort", forward, { once: true });
    this.#end = () => {
      unschedule(alarm);
      signal.removeEventListener("abort", forward);
    };
  }

  /** Lets go of the alarm and the caller's signal. */
  end(): void {
    this.#end?.();
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

/** A timer set to more fires at once, so more counts as none. */
const MAX_TIMER_MS = 2 ** 31 - 1;
