/** The limits of a wait for the guest. */
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import { AbortScope, type AbortScopeOptions } from "../wait/abort_scope.ts";

/** The goal of a wait for the guest, in the words of its error. */
export interface GuestGoal {
  /** A sentence without its end, such as `the guest does not answer`. */
  readonly unmet: string;
  /** The last thing that the wait saw, for the message. */
  readonly lastSeen?: () => string | undefined;
  /** The last failure. */
  readonly cause?: () => unknown;
}

/** A scope that ends with the VMM too, where its end can be known. */
export function createGuestScope(
  options: AbortScopeOptions,
  { unmet, lastSeen, cause }: GuestGoal,
  exited?: Promise<VmmExit>,
): AbortScope {
  const scope = new AbortScope(options, (timeoutMs) => {
    const seen = lastSeen?.();
    const message = `${unmet} after ${timeoutMs} ms`;
    const reason = cause?.();
    return new DeadlineError(
      timeoutMs,
      reason === undefined ? {} : { cause: reason },
      seen === undefined ? message : `${message}; last seen: ${seen}`,
    );
  });
  if (exited) {
    scope.abortOnSettled(exited, (exit) => new VmmExitedError(exit));
  }
  return scope;
}

/** The message of an error, for `lastSeen`. */
export function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}
