/**
 * Asks a VMM until it gives the answer that is waited for. Events only say when
 * to ask: a monitor can lose events, so the VMM's answer decides.
 */
import { CloudHypervisorError } from "../errors/base_error.ts";
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import type { VmmEvent } from "../events/mod.ts";
import { poll } from "../wait/poll.ts";
import { Wakeup } from "../wait/wakeup.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { type Goal, goalTimedOut } from "./goal.ts";
import type { Vmm, WaitOptions } from "./vmm.ts";

/** A question to a VMM. */
export interface PollOptions<T> {
  /** For the message of the error. */
  readonly goal: Goal;
  /**
   * Resolves to undefined for "not yet". A rejection ends the wait, unless it
   * means that the VMM is busy.
   */
  probe(signal: AbortSignal): Promise<T | undefined>;
  /** Tells whether a VMM that cannot be reached may still start. */
  readonly retryUnreachable?: boolean;
}

/**
 * Rejects with the signal's reason, a {@linkcode DeadlineError}, a
 * {@linkcode VmmExitedError} when the VMM is gone, or as the probe does.
 */
export async function pollUntil<T>(
  vmm: Vmm,
  { goal, probe, retryUnreachable = false }: PollOptions<T>,
  options: WaitOptions = {},
): Promise<T> {
  const { socketPath } = vmm.client;
  let lastError: string | undefined;
  const lastSeen = (): string | undefined => goal.lastSeen?.() ?? lastError;
  const scope = new AbortScope(
    options,
    (ms) => goalTimedOut({ ...goal, lastSeen }, ms, socketPath),
  );
  const wakeup = new Wakeup(scope.signal);
  try {
    if (vmm.exited) {
      const toReason = (exit: VmmExit) =>
        new VmmExitedError(exit, { socketPath });
      scope.abortOnSettled(vmm.exited, toReason);
    }
    wakeup.open();
    const events = vmm.events?.({ from: "now", signal: scope.signal });
    if (events) void notifyOnEvents(wakeup, events);
    const isTransient = (error: unknown): boolean => {
      if (error instanceof CloudHypervisorError) lastError = error.code;
      return mayRecover(error, vmm, retryUnreachable);
    };
    const maxDelayMs = events ? 1000 : 250;
    return await poll({ probe, isTransient, maxDelayMs }, scope, wakeup);
  } finally {
    wakeup.close();
    scope.close();
  }
}

/** Ends the pause of the loop at each event. */
async function notifyOnEvents(wakeup: Wakeup, events: AsyncIterable<VmmEvent>) {
  try {
    for await (const _ of events) wakeup.notify();
  } catch {
    // The loop goes on without events.
  }
}

/** Tells whether the VMM may answer the same question later. */
function mayRecover(error: unknown, vmm: Vmm, coming: boolean): boolean {
  if (error instanceof DeadlineError) return true;
  if (error instanceof ApiError) return TRANSIENT_CODES.has(error.code);
  if (!(error instanceof ConnectionError)) return false;
  if (error.code === "closed") return true;
  if (error.code !== "refused" && error.code !== "socket_missing") return false;
  // `exited` is about to resolve, and its error says more.
  if (coming || vmm.exited) return true;
  const { socketPath } = error;
  throw new VmmExitedError(UNKNOWN_EXIT, { socketPath, cause: error });
}

/** The end of a process of which only the end is known. */
export const UNKNOWN_EXIT: VmmExit = {
  exitCode: null,
  signal: null,
  stderr: "",
};

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "busy",
  "migrating",
  "overloaded",
  "vmm_gone",
]);
