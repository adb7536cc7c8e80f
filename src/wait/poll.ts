/** A loop that asks until there is an answer. */
import type { AbortScope } from "./abort_scope.ts";
import type { Wakeup } from "./wakeup.ts";

/** The question, and the times between two of them. */
export interface PollLoop<T> {
  /** Resolves to undefined for "not yet". */
  probe(signal: AbortSignal): Promise<T | undefined>;
  /** Tells whether to ask again after this rejection of the probe. */
  isTransient(error: unknown): boolean;
  /** The longest pause in milliseconds; the first one takes 2 ms. */
  readonly maxDelayMs: number;
}

/**
 * Asks at once, and then after each pause or wake-up. Rejects with the scope's
 * reason, or as the probe rejects.
 */
export async function poll<T>(
  { probe, isTransient, maxDelayMs }: PollLoop<T>,
  scope: AbortScope,
  wakeup: Wakeup,
): Promise<T> {
  let delay = FIRST_DELAY_MS;
  for (;;) {
    wakeup.reset();
    try {
      const result = await scope.race(probe(scope.signal));
      if (result !== undefined) return result;
    } catch (error) {
      if (scope.signal.aborted || !isTransient(error)) throw error;
    }
    await wakeup.pause(delay);
    delay = Math.min(delay * DELAY_GROWTH, maxDelayMs);
  }
}

const FIRST_DELAY_MS = 2;
const DELAY_GROWTH = 1.3;
