import { CloudHypervisorError } from "../errors/base_error.ts";
import { registerError } from "../errors/error_from.ts";

/**
 * The kind of fault in a command line; see {@linkcode CommandLineError}.
 *
 * - `unexpected_argument`: an unknown flag, or a value that belongs to no flag.
 * - `unexpected_value`: a value for a flag that takes none.
 * - `missing_value`: a flag without its value.
 * - `repeated_flag`: a flag that may be given once only.
 * - `missing_payload`: flags of a VM without `--kernel`, `--firmware` or
 *   `--igvm`.
 * - `invalid_syntax`: quotes or brackets without a partner, or an option
 *   without `=`.
 * - `unknown_option`, `missing_option`: an option of a flag, such as `path` of
 *   `--disk`.
 * - `invalid_value`: a value in a form that the flag or the option does not
 *   accept.
 * - `conflicting_options`: two options that exclude each other.
 */
export type CommandLineErrorReason =
  | "unexpected_argument"
  | "unexpected_value"
  | "missing_value"
  | "repeated_flag"
  | "missing_payload"
  | "invalid_syntax"
  | "unknown_option"
  | "missing_option"
  | "invalid_value"
  | "conflicting_options";

/** The place and the kind of a fault in a command line. */
export interface CommandLineFault {
  /** The kind of fault. */
  readonly reason: CommandLineErrorReason;
  /** The flag with its dashes, such as `--disk`. */
  readonly flag?: string | undefined;
  /** The option within the flag's value, such as `readonly`. */
  readonly option?: string | undefined;
  /** The text that is refused. */
  readonly value?: string | undefined;
  /** The index of the faulty argument in `argv`. */
  readonly index?: number | undefined;
  /** The argument as it was given. */
  readonly argument?: string | undefined;
  /** The end of the message: the fault in words. */
  readonly text: string;
}

/**
 * A command line that cloud-hypervisor refuses before it creates a VM.
 *
 * `--disk "path=/a.raw,readOnly=on" (argument 3): unknown option "readOnly";
 * did you mean "readonly"?`
 */
export class CommandLineError extends CloudHypervisorError {
  static {
    registerError("CommandLineError", () => {
      return new this({ reason: "invalid_value", text: "" }, 1);
    });
  }

  /** The name of the class. */
  override readonly name = "CommandLineError";
  /** The code of every error of this class; `reason` has the kind. */
  override readonly code = "invalid_command_line";
  /** The kind of fault. */
  readonly reason: CommandLineErrorReason;
  /** The flag with its dashes, such as `--disk`; undefined if there is none. */
  readonly flag: string | undefined;
  /** The option within the flag's value, such as `readonly`. */
  readonly option: string | undefined;
  /** The text that is refused. */
  readonly value: string | undefined;
  /** The index of the faulty argument in `argv`. */
  readonly index: number | undefined;
  /**
   * The exit code of the program for this fault: 2 if a flag itself
   * is wrong, 1 if the value of a flag is wrong, 101 if the program panics.
   */
  readonly exitCode: 1 | 2 | 101;

  /** Words the message from the place and the fault. */
  constructor(fault: CommandLineFault, exitCode: 1 | 2 | 101) {
    super(messageOf(fault), {});
    this.reason = fault.reason;
    this.flag = fault.flag;
    this.option = fault.option;
    this.value = fault.value;
    this.index = fault.index;
    this.exitCode = exitCode;
  }
}

function messageOf({ flag, argument, index, text }: CommandLineFault): string {
  const value = argument === undefined ? [] : [JSON.stringify(argument)];
  const place = index === undefined ? [] : [`(argument ${index + 1})`];
  const parts = [...flag === undefined ? [] : [flag], ...value, ...place];
  return parts.length === 0 ? text : `${parts.join(" ")}: ${text}`;
}
