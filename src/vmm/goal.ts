/** The goal of a wait, in the words of its error. */
import { DeadlineError } from "../errors/errors.ts";
import type { OperationName } from "../generated/api.gen.ts";

export interface Goal {
  /** The thing that is waited for. */
  readonly subject: "VM" | "VMM";
  /** The rest of the sentence about it, such as `is not Running`. */
  readonly unmet: string;
  /** The last state that the wait saw, where it saw one. */
  readonly lastSeen?: () => string | undefined;
  /** A likely cause. */
  readonly advice?: () => string | undefined;
  /** The operation that was sent before, where there was one. */
  readonly operation?: OperationName;
}

/** The error of a wait for the goal that timed out. */
export function goalTimedOut(
  goal: Goal,
  timeoutMs: number,
  socketPath: string,
): DeadlineError {
  const lastSeen = goal.lastSeen?.();
  const parts = [
    `${goal.subject} at "${socketPath}" ${goal.unmet} after ${timeoutMs} ms`,
    lastSeen && `last seen: ${lastSeen}`,
    goal.advice?.(),
  ];
  const message = parts.filter((part) => part).join("; ");
  const { operation } = goal;
  return new DeadlineError(timeoutMs, { operation, socketPath }, message);
}
