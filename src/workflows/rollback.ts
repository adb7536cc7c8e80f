/** Rolls back a workflow of which a step has failed. */
import type { Client } from "../client/create_client.ts";
import {
  CloudHypervisorError,
  type ErrorContext,
} from "../errors/base_error.ts";
import { registerError, thrownFrom } from "../errors/error_from.ts";
import { ConnectionError } from "../errors/errors.ts";
import { isGone } from "../vmm/wait_for_exit.ts";

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
  /** The code of this class, `rollback_failed`. */
  override readonly code = "rollback_failed";
  /** The error of the step; also the `cause`. */
  readonly failure: unknown;
  /** The error of the rollback. */
  readonly rollbackFailure: unknown;
  /** The state after the failed rollback, such as "The VM is left paused". */
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

/** A rollback, and what stays if it fails. */
export interface Rollback {
  readonly failure: unknown;
  readonly remaining: string;
  readonly client: Client;
}

/**
 * Rolls back. After the end of the VMM nothing remains, so a rollback that
 * fails for that reason is none.
 *
 * @throws {RollbackError} when the rollback fails.
 */
export async function rollBack(
  { failure, remaining, client }: Rollback,
  action: () => Promise<unknown>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (isGone(error) || await hasEnded(client)) return;
    const { socketPath } = client;
    throw new RollbackError(failure, error, remaining, { socketPath });
  }
}

/** A VMM that is ending closes connections before its socket is gone. */
async function hasEnded({ vmm }: Client): Promise<boolean> {
  try {
    await vmm.ping();
    return false;
  } catch (error) {
    return isGone(error) ||
      error instanceof ConnectionError && error.code === "closed";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
