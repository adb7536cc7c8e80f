/** The outcome of each VMM of a group. */
import { CloudHypervisorError } from "../errors/base_error.ts";
import type { ErrorCode } from "../errors/error_code.ts";
import { registerError } from "../errors/error_from.ts";
import type { VmEnd } from "../vmm/vm_end.ts";

/**
 * The outcome of one VMM of a group: a line for `console.table`, which can be
 * stored as JSON.
 */
export interface VmmOutcome {
  /** The name of the VMM in the group. */
  readonly name: string;
  /** The process id; undefined if the VMM was not up. */
  readonly pid: number | undefined;
  /**
   * `failed` if the start of the VMM failed; `cancelled` if the start was ended
   * because another start failed; otherwise the VMM is `running`, or has
   * `ended`.
   */
  readonly state: "failed" | "cancelled" | "running" | "ended";
  /** The cause of the end, of a VMM that has ended. */
  readonly cause: VmEnd["cause"] | undefined;
  /** The side that ended the VM. */
  readonly by: VmEnd["by"] | undefined;
  /** The request of this script that ended the VM, if the script ended it. */
  readonly step: VmEnd["step"];
  /** The exit code; `null` after a signal. */
  readonly exitCode: number | null | undefined;
  /** The signal that ended the process, or `null`. */
  readonly signal: string | null | undefined;
  /** The message of the error of the start or of `stop()`. */
  readonly error: string | undefined;
}

/**
 * A VMM of a group did not start, or did not stop. The `cause` is the error of
 * that VMM, and `code` is the code of the cause; `outcomes` has all VMMs of the
 * group.
 */
export class VmmGroupError extends CloudHypervisorError {
  static {
    registerError("VmmGroupError", ({ cause }) => {
      return new this({ problem: "start", index: 0, outcomes: [], cause });
    });
  }

  /** The name of the class. */
  override readonly name = "VmmGroupError";
  /** The code of the cause; `invalid_request` if the cause has none. */
  override readonly code: ErrorCode;
  /** The name of the VMM in the group. */
  readonly vmm: string;
  /** The place of the VMM in the list of options. */
  readonly index: number;
  /** The outcome of each VMM, in the order of the options. */
  readonly outcomes: readonly VmmOutcome[];

  /**
   * Words the message from the outcomes.
   *
   * @internal
   */
  constructor({ problem, index, outcomes, cause }: GroupFailure) {
    const known = cause instanceof CloudHypervisorError ? cause : undefined;
    const vmm = outcomes[index]?.name ?? "";
    const others = outcomes.length - 1;
    const rest = problem === "start" && others > 0
      ? `; the other ${others === 1 ? "VMM was" : `${others} VMMs were`} ended`
      : "";
    super(
      `VMM "${vmm}" (${index}) did not ${problem}: ${messageOf(cause)}${rest}`,
      { cause, operation: known?.operation, socketPath: known?.socketPath },
    );
    this.code = known?.code ?? "invalid_request";
    this.vmm = vmm;
    this.index = index;
    this.outcomes = outcomes;
  }
}

/** The failure of one VMM of a group. */
export interface GroupFailure {
  readonly problem: "start" | "stop";
  readonly index: number;
  readonly outcomes: readonly VmmOutcome[];
  readonly cause: unknown;
}

/** The message of an error, or another value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
