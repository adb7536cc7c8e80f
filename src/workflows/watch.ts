/**
 * Looks until something is so. Events say when it is worth a look; what counts
 * is what the VMM answers, since a monitor may drop events without a word.
 */
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  VmmExitedError,
} from "../errors.ts";
import type { VmmEvent } from "../events.ts";
import { Scope } from "./scope.ts";
import type { EventSource, Vmm, WaitOptions } from "./vmm.ts";

/** What is waited for. */
export interface Watch<T> {
  /** For the message of a deadline, as `the VM to be Running`. */
  readonly goal: string;
  /** Undefined is not yet; a rejection is never, unless it is a busy VMM's. */
  look(signal: AbortSignal): Promise<T | undefined>;
  /** Whether a VMM that cannot be reached may yet come. */
  readonly coming?: boolean;
}

/**
 * Rejects with the signal's reason, a {@linkcode DeadlineError}, a
 * {@linkcode VmmExitedError} when the VMM is gone, or as `look` does.
 */
export async function watch<T>(
  vmm: Vmm,
  { goal, look, coming = false }: Watch<T>,
  options: WaitOptions = {},
): Promise<T> {
  const scope = new Scope(goal, options, vmm.exited);
  const news = new News(vmm.events, scope.signal);
  let delay = FIRST_MS;
  try {
    for (;;) {
      const change = news.next();
      try {
        const found = await scope.race(look(scope.signal));
        if (found !== undefined) return found;
      } catch (error) {
        if (scope.signal.aborted || !passes(error, vmm, coming)) throw error;
      }
      await scope.pause(delay, change);
      delay = Math.min(delay * 1.3, vmm.events ? 1000 : 250);
    }
  } finally {
    scope.close();
  }
}

/** Wakes at each event. */
class News {
  #next = Promise.withResolvers<void>();

  constructor(events: EventSource | undefined, signal: AbortSignal) {
    if (events) void this.#listen(events({ from: "now", signal }));
  }

  next(): Promise<void> {
    return this.#next.promise;
  }

  async #listen(events: AsyncIterable<VmmEvent>): Promise<void> {
    try {
      for await (const _ of events) {
        this.#next.resolve();
        this.#next = Promise.withResolvers();
      }
    } catch {
      // Without its events the VMM is still polled.
    }
  }
}

/** Whether it is worth another look after this. */
function passes(error: unknown, vmm: Vmm, coming: boolean): boolean {
  if (error instanceof DeadlineError) return true;
  if (error instanceof ApiError) return PASSING.has(error.code);
  if (!(error instanceof ConnectionError)) return false;
  if (error.code === "closed") return true;
  if (error.code !== "refused" && error.code !== "socket_missing") return false;
  // Its exit is about to be known, and says more.
  if (coming || vmm.exited) return true;
  const { socketPath } = error;
  throw new VmmExitedError(
    { exitCode: null, signal: null, stderr: "" },
    { socketPath, cause: error },
  );
}

const PASSING: ReadonlySet<string> = new Set([
  "busy",
  "migrating",
  "overloaded",
  "vmm_gone",
]);

const FIRST_MS = 2;
