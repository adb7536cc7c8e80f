/** The limits of a wait for the guest. */
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import { explained } from "./path_problem.ts";
import { AbortScope, type AbortScopeOptions } from "../wait/abort_scope.ts";

/** The goal of a wait for the guest, in the words of its error. */
export interface GuestGoal {
  /** A sentence without its end, such as `the guest does not answer`. */
  readonly unmet: string;
  /** The last thing that the wait saw, for the message. */
  readonly lastSeen?: () => string | undefined;
  /** The last failure; its message is the last thing seen. */
  readonly lastFailure?: () => unknown;
}

/** A scope that ends with the VMM too, where its end can be known. */
export function createGuestScope(
  options: AbortScopeOptions,
  { unmet, lastSeen, lastFailure }: GuestGoal,
  exited?: Promise<VmmExit>,
): AbortScope {
  const scope = new AbortScope(options, (timeoutMs) => {
    const reason = explained(lastFailure?.());
    const seen = reason instanceof Error ? reason.message : lastSeen?.();
    const message = `${unmet} after ${timeoutMs} ms`;
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
