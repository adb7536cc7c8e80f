/**
 * The errors, as one family of classes. Decide by `code`, which is the same on
 * every runtime and release; messages are for people and may change.
 */
import type { OperationName } from "../generated/api.gen.ts";
import { CloudHypervisorError, type ErrorContext } from "./base_error.ts";
import { codeTable } from "./code_table.ts";
import { diagnose } from "./diagnosis.ts";
import type {
  ApiErrorCode,
  ConnectionErrorCode,
  InvalidRequestErrorCode,
  Retry,
} from "./error_code.ts";
import { reasonOf } from "./reason.ts";

/**
 * The VMM refused the call. With `retry: "now"` it did nothing, and the same
 * call may succeed later. After a refused `vm.boot`, delete the VM before you
 * boot again: the VMM may have built a part of it.
 */
export class ApiError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "ApiError";
  /** The reason, the same on all releases. */
  override readonly code: ApiErrorCode;
  /** The HTTP status, in which releases differ. */
  readonly status: number;
  /** The VMM's own chain of messages, outermost first; may be empty. */
  readonly messages: readonly string[];

  /**
   * Reads the code from the status and the messages.
   *
   * @internal
   */
  constructor(
    status: number,
    messages: readonly string[],
    context: ErrorContext,
  ) {
    const { operation } = context;
    const { code, advice } = diagnose(status, messages, operation);
    const problem = `failed (${status}, ${code}): ${reasonOf(messages)}`;
    super(sentence(problem, advice, context), context);
    this.code = code;
    this.status = status;
    this.messages = messages;
  }

  /** The advice about a second try; never `now` after a boot that failed. */
  override get retry(): Retry {
    return diagnose(this.status, this.messages, this.operation).retry;
  }
}

/**
 * The call got no response. After `closed` and `not_http` the VMM may have
 * carried out the request: ask `vm.info` before you try again. With the other
 * codes nothing was sent.
 */
export class ConnectionError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "ConnectionError";
  /** The reason. */
  override readonly code: ConnectionErrorCode;

  /**
   * Words the message from the code.
   *
   * @internal
   */
  constructor(code: ConnectionErrorCode, context: ErrorContext) {
    const { problem, advice = "" } = codeTable[code];
    const risk = context.operation && LETHAL[context.operation];
    const hint = code === "closed" && risk ? `${advice}; ${risk}` : advice
      .replaceAll("SOCKET", context.socketPath ?? "SOCKET");
    const what = `got no response (${code}): ${problem}`;
    super(sentence(what, hint, context), context);
    this.code = code;
  }
}

/**
 * The deadline of a call or of a wait passed. A timeout does not cancel the
 * operation in the VMM, and the VMM need not be dead: it answers one request
 * after another.
 */
export class DeadlineError extends CloudHypervisorError {
  /** The name of the platform's own timeouts. */
  override readonly name = "TimeoutError";
  /** The code of this class. */
  override readonly code = "deadline";
  /** The deadline that passed, in milliseconds, counted from the call. */
  readonly timeoutMs: number;

  /**
   * Words the message from the deadline; a wait has a message of its own.
   *
   * @internal
   */
  constructor(timeoutMs: number, context: ErrorContext, message?: string) {
    super(
      message ?? sentence(
        `got no response within ${timeoutMs} ms`,
        "the VMM may still be working on it, or for another client: raise timeoutMs to wait longer",
        context,
      ),
      context,
    );
    this.timeoutMs = timeoutMs;
  }
}

/** The library refused a call or an argument before it did anything. */
export class InvalidRequestError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "InvalidRequestError";
  /** The reason. */
  override readonly code: InvalidRequestErrorCode;
  /** The wrong argument or field of the body, such as `memory.size`. */
  readonly field: string;

  /**
   * Words the message from the field and the reason.
   *
   * @internal
   */
  constructor(
    code: InvalidRequestErrorCode,
    field: string,
    reason: string,
    context: ErrorContext = {},
  ) {
    const text = context.operation === undefined
      ? `${field}: ${reason}`
      : sentence(`was not sent: ${reason}`, undefined, context);
    super(text, context);
    this.code = code;
    this.field = field;
  }
}

/** The VMM process ended, or did not get ready. */
export class VmmExitedError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "VmmExitedError";
  /** The code of this class. */
  override readonly code = "vmm_exited";
  /** The exit code, or `null` if a signal ended the process or it is unknown. */
  readonly exitCode: number | null;
  /** The signal that ended the process, such as `SIGKILL`, or `null`. */
  readonly signal: string | null;
  /** The end of what the process wrote to stderr. */
  readonly stderr: string;

  /**
   * Words the message from the exit.
   *
   * @internal
   */
  constructor(exit: VmmExit, context: ErrorContext = {}) {
    const output = exit.stderr.trimEnd();
    super(
      `The VMM ${howItEnded(exit, context)}${output && `: ${output}`}`,
      context,
    );
    this.exitCode = exit.exitCode;
    this.signal = exit.signal;
    this.stderr = exit.stderr;
  }
}

/** The end of a VMM process. */
export interface VmmExit {
  /** The exit code, or `null` if a signal ended the process or it is unknown. */
  readonly exitCode: number | null;
  /** The signal that ended the process, such as `SIGKILL`, or `null`. */
  readonly signal: string | null;
  /** The end of what the process wrote to stderr; empty if unknown. */
  readonly stderr: string;
}

function howItEnded(exit: VmmExit, { cause }: ErrorContext): string {
  if (cause instanceof DeadlineError) {
    return `did not get ready within ${cause.timeoutMs} ms`;
  }
  if (exit.signal) return `was ended by ${exit.signal}`;
  return exit.exitCode === null
    ? "has ended"
    : `exited with code ${exit.exitCode}`;
}

/** Requests that are known to kill some builds, and so to end a connection. */
const LETHAL: { readonly [name in OperationName]?: string } = {
  "vm.create": "a body over about 249 KB kills some builds of the VMM",
  "vm.send-migration":
    "a migration of shared memory kills some builds of the VMM",
};

/** A message: the operation, the socket, the problem and the advice. */
function sentence(
  problem: string,
  advice: string | undefined,
  { operation, socketPath }: ErrorContext,
): string {
  const where = socketPath === undefined ? "" : ` on "${socketPath}"`;
  const end = advice === undefined ? "" : `; ${advice}`;
  return `${operation ?? "The request"}${where} ${problem}${end}`;
}
