/** What became of a migration that did not succeed. */
import type { Client } from "../../client/create_client.ts";
import {
  CloudHypervisorError,
  ConnectionError,
  type ErrorContext,
} from "../../errors/errors.ts";
import type { VmState } from "../../generated/types.gen.ts";
import { isNotCreated } from "../../vmm/wait_for.ts";

/**
 * The state of a side's VM; `none` where the VMM has no VM, `gone` where the
 * VMM has ended, `unknown` where it does not say.
 */
export type MigrationSideState = VmState | "none" | "gone" | "unknown";

/** A migration failed or was given up; `cause` is why. */
export class MigrationError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "MigrationError";
  /** Which of its kind it is. */
  override readonly code = "migration_failed";
  /** What the source is left with. */
  readonly source: MigrationSideState;
  /** What the destination is left with. */
  readonly destination: MigrationSideState;

  /** Words the message from the reason and both sides. */
  constructor(
    source: MigrationSideState,
    destination: MigrationSideState,
    context: ErrorContext & {
      /** Why. */
      cause: unknown;
    },
  ) {
    const { cause } = context;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The migration did not succeed: ${reason}; source: ${source}, destination: ${destination}`,
      context,
    );
    this.source = source;
    this.destination = destination;
  }
}

/** What a VMM is left with. */
export async function readSideState(
  { vm }: Client,
): Promise<MigrationSideState> {
  try {
    return (await vm.info()).state;
  } catch (error) {
    if (isNotCreated(error)) return "none";
    return isGone(error) ? "gone" : "unknown";
  }
}

/** Whether nothing listens any more. */
export function isGone(error: unknown): boolean {
  return error instanceof ConnectionError &&
    (error.code === "refused" || error.code === "socket_missing");
}
