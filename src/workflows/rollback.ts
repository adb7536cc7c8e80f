/** The error of a workflow that failed and could not roll back. */
import {
  CloudHypervisorError,
  type ErrorContext,
} from "../errors/base_error.ts";
import { registerError, thrownFrom } from "../errors/error_from.ts";

/**
 * A step of a workflow failed, and so did the rollback of the steps before it.
 * If the rollback succeeds, a workflow rejects with the error of the step.
 */
export class RollbackError extends CloudHypervisorError {
  static {
    registerError(
      "RollbackError",
      (context, { remaining, rollbackFailure }) => {
        const failure = thrownFrom(rollbackFailure);
        return new this(context.cause, failure, `${remaining || "?"}`, context);
      },
    );
  }

  /** The name of the class. */
  override readonly name = "RollbackError";
  /** The one code of this class. */
  override readonly code = "rollback_failed";
  /** The error of the step; also the `cause`. */
  readonly failure: unknown;
  /** The error of the rollback. */
  readonly rollbackFailure: unknown;
  /** What the failed rollback leaves, such as "The VM is left paused". */
  readonly remaining: string;

  /**
   * Words the message from both errors.
   *
   * @internal
   */
  constructor(
    failure: unknown,
    rollbackFailure: unknown,
    remaining: string,
    context: ErrorContext,
  ) {
    super(
      `${messageOf(failure)}. Rolling back failed too: ${
        messageOf(rollbackFailure)
      }. ${remaining}`,
      { ...context, cause: failure },
    );
    this.failure = failure;
    this.rollbackFailure = rollbackFailure;
    this.remaining = remaining;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
