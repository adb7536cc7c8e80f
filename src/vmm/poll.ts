/**
 * Looks until something is so. Events say when it is worth a look; what counts
 * is what the VMM answers, since a monitor may drop events without a word.
 */
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  VmmExitedError,
} from "../errors/errors.ts";
import type { VmmEvent } from "../events/mod.ts";
import { Wakeup } from "../wait/wakeup.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import type { Vmm, WaitOptions } from "./vmm.ts";

/** What is waited for. */
export interface PollOptions<T> {
  /** For the message of a deadline, as `the VM to be Running`. */
  readonly goal: string;
  /** Undefined is not yet; a rejection is never, unless it is a busy VMM's. */
  probe(signal: AbortSignal): Promise<T | undefined>;
  /** Whether a VMM that cannot be reached may yet come. */
  readonly retryUnreachable?: boolean;
}

/**
 * Rejects with the signal's reason, a {@linkcode DeadlineError}, a
 * {@linkcode VmmExitedError} when the VMM is gone, or as `look` does.
 */
export async function pollUntil<T>(
  vmm: Vmm,
  { goal, probe, retryUnreachable = false }: PollOptions<T>,
  options: WaitOptions = {},
): Promise<T> {
  const scope = new AbortScope(goal, options, vmm.exited);
  const turn = new Wakeup(scope.signal);
  let delay = FIRST_MS;
  try {
    turn.open();
    const events = vmm.events?.({ from: "now", signal: scope.signal });
    if (events) void notifyOnEvents(turn, events);
    for (;;) {
      turn.reset();
      try {
        const found = await scope.race(probe(scope.signal));
        if (found !== undefined) return found;
      } catch (error) {
        if (
          scope.signal.aborted || !isTransient(error, vmm, retryUnreachable)
        ) throw error;
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
async function notifyOnEvents(turn: Wakeup, events: AsyncIterable<VmmEvent>) {
  try {
    for await (const _ of events) turn.notify();
  } catch {
    // Without its events the VMM is still polled.
  }
}

/** Whether it is worth another look after this. */
function isTransient(error: unknown, vmm: Vmm, coming: boolean): boolean {
  if (error instanceof DeadlineError) return true;
  if (error instanceof ApiError) return TRANSIENT_CODES.has(error.code);
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

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "busy",
  "migrating",
  "overloaded",
  "vmm_gone",
]);

const FIRST_MS = 2;
