/** A sequence that failed, and could not be taken back either. */
import { CloudHypervisorError, type ErrorContext } from "../errors/errors.ts";

/**
 * A step of a sequence failed, and so did taking back what had been done
 * before it. Without the second failure a sequence rejects with the first.
 */
export class RollbackError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "RollbackError";
  /** Which of its kind it is. */
  override readonly code = "rollback_failed";
  /** What failed first; also the `cause`. */
  readonly failure: unknown;
  /** What failed in taking it back. */
  readonly rollbackFailure: unknown;
  /** What was left, as "the VM is paused". */
  readonly remaining: string;

  /** Words the message from both failures. */
  constructor(
    failure: unknown,
    undo: unknown,
    left: string,
    context: ErrorContext,
  ) {
    super(`${said(failure)}; and then ${said(undo)}; ${left}`, {
      ...context,
      cause: failure,
    });
    this.failure = failure;
    this.rollbackFailure = undo;
    this.remaining = left;
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
