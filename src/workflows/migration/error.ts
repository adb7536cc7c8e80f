/** The error of a migration, with the state of both sides. */
import type { Client } from "../../client/create_client.ts";
import {
  CloudHypervisorError,
  type ErrorContext,
} from "../../errors/base_error.ts";
import { registerError } from "../../errors/error_from.ts";
import type { VmState } from "../../generated/types.gen.ts";
import { isNotCreated } from "../../vmm/vm_info.ts";
import { isGone } from "../../vmm/wait_for_exit.ts";

/**
 * The state of one side's VM: `none` where the VMM has no VM, `gone` where the
 * VMM has ended, `unknown` where the VMM does not answer.
 */
export type MigrationSideState = VmState | "none" | "gone" | "unknown";

/** A migration failed or was aborted; the `cause` is the reason. */
export class MigrationError extends CloudHypervisorError {
  static {
    registerError("MigrationError", (context) => {
      return new this("unknown", "unknown", { cause: undefined, ...context });
    });
  }

  /** The name of the class. */
  override readonly name = "MigrationError";
  /** The code of this class, `migration_failed`. */
  override readonly code = "migration_failed";
  /** The state of the source after the failure. */
  readonly source: MigrationSideState;
  /** The state of the destination after the failure. */
  readonly destination: MigrationSideState;

  /**
   * Words the message from the reason and both states.
   *
   * @internal
   */
  constructor(
    source: MigrationSideState,
    destination: MigrationSideState,
    context: ErrorContext & {
      /** The reason of the failure. */
      cause: unknown;
    },
  ) {
    const { cause, socketPath } = context;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The migration of the VM at "${socketPath}" failed: ${reason}; source: ${source}, destination: ${destination}`,
      context,
    );
    this.source = source;
    this.destination = destination;
  }
}

/** Asks a side for its state; never rejects. */
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
