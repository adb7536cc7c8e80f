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
import { Turn } from "../events/turn.ts";
import { Scope } from "./scope.ts";
import type { Vmm, WaitOptions } from "./vmm.ts";

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
  const turn = new Turn(scope.signal);
  let delay = FIRST_MS;
  try {
    turn.open();
    const events = vmm.events?.({ from: "now", signal: scope.signal });
    if (events) void wake(turn, events);
    for (;;) {
      turn.calm();
      try {
        const found = await scope.race(look(scope.signal));
        if (found !== undefined) return found;
      } catch (error) {
        if (scope.signal.aborted || !passes(error, vmm, coming)) throw error;
      }
      await turn.pause(delay);
      delay = Math.min(delay * 1.3, events ? 1000 : 250);
    }
  } finally {
    turn.close();
    scope.close();
  }
}

/** Makes each event worth a look. */
async function wake(turn: Turn, events: AsyncIterable<VmmEvent>) {
  try {
    for await (const _ of events) turn.wake();
  } catch {
    // Without its events the VMM is still polled.
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
