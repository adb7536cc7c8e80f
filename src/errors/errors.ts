/**
 * What can go wrong, as one family of classes. Decide by `code`, which is the
 * same on every runtime and release; messages are for people and may change.
 */
import type { OperationName } from "../generated/api.gen.ts";
import { diagnose } from "./api_error_code.ts";

/** Why the VMM refused a call; see {@linkcode ApiError}. */
export type ApiErrorCode =
  | "not_created"
  | "not_running"
  | "wrong_state"
  | "already_exists"
  | "migrating"
  | "unknown_device"
  | "duplicate_id"
  | "invalid_config"
  | "invalid_json"
  | "too_large"
  | "unsupported"
  | "busy"
  | "overloaded"
  | "vmm_gone"
  | "other";

/** Why a call got no answer; see {@linkcode ConnectionError}. */
export type ConnectionErrorCode =
  | "socket_missing"
  | "refused"
  | "permission_denied"
  | "runtime_permission"
  | "closed"
  | "not_http";

/** Why a call was not sent; see {@linkcode InvalidRequestError}. */
export type InvalidRequestErrorCode = "invalid_request" | "fatal_request";

/** Every `code` of this library's errors. */
export type ErrorCode =
  | ApiErrorCode
  | ConnectionErrorCode
  | InvalidRequestErrorCode
  | "in_use"
  | "reset"
  | "not_vsock"
  | "deadline"
  | "vmm_exited"
  | "rollback_failed"
  | "migration_failed"
  | "invalid_command_line";

/** Where an error happened. */
export interface ErrorContext {
  /** The operation by its wire name, as `vm.add-disk`. */
  operation?: OperationName | undefined;
  /** The API socket, absolute. */
  socketPath?: string | undefined;
  /** What the runtime threw. */
  cause?: unknown;
}

/** The base of every error of this library. */
export abstract class CloudHypervisorError extends Error {
  /** What to decide by: stable, the same on all runtimes and releases. */
  abstract readonly code: ErrorCode;
  /** The operation by its wire name, where there was one. */
  readonly operation: OperationName | undefined;
  /** The API socket, absolute, where there was one. */
  readonly socketPath: string | undefined;

  /** Made by the library; there is no need to construct one. */
  constructor(message: string, context: ErrorContext) {
    super(message, "cause" in context ? { cause: context.cause } : {});
    this.operation = context.operation;
    this.socketPath = context.socketPath;
  }
}

/**
 * The VMM answered, and said no. With `busy` and `overloaded` nothing was
 * done, so the call can be made again; after `vmm_gone` the process is dying.
 */
export class ApiError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "ApiError";
  /** Which of its kind it is. */
  override readonly code: ApiErrorCode;
  /** The HTTP status; releases differ in it, so prefer `code`. */
  readonly status: number;
  /** The VMM's own chain of messages, outermost first; may be empty. */
  readonly messages: readonly string[];

  /** Reads the code off the status and the messages. */
  constructor(
    status: number,
    messages: readonly string[],
    context: ErrorContext,
  ) {
    const { code, advice } = diagnose(status, messages);
    const said = clip(messages.at(-1) ?? "no reason given");
    super(
      sentence(`failed with status ${status}: ${said}`, advice, context),
      context,
    );
    this.code = code;
    this.status = status;
    this.messages = messages;
  }
}

/**
 * There was no answer. After `closed` and `not_http` the VMM may or may not
 * have done what was asked: look with `vm.info` before asking again. The other
 * codes mean that nothing was sent.
 */
export class ConnectionError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "ConnectionError";
  /** Which of its kind it is. */
  override readonly code: ConnectionErrorCode;

  /** Words the message from the code. */
  constructor(code: ConnectionErrorCode, context: ErrorContext) {
    const [problem, advice] = REACH[code];
    const extra = context.operation && LETHAL[context.operation];
    const hint = code === "closed" && extra ? `${advice}; ${extra}` : advice
      .replaceAll("SOCKET", context.socketPath ?? "SOCKET");
    super(sentence(`got no answer: ${problem}`, hint, context), context);
    this.code = code;
  }
}

/**
 * What was waited for did not come in time. A request is not undone by giving
 * up on it, and the VMM need not be dead: it answers one after another.
 */
export class DeadlineError extends CloudHypervisorError {
  /** As the platform's own time-outs are named. */
  override readonly name = "TimeoutError";
  /** Which of its kind it is. */
  override readonly code = "deadline";
  /** The deadline that passed, in milliseconds from the call on. */
  readonly timeoutMs: number;

  /** Words the message from the deadline; a wait gives a message of its own. */
  constructor(timeoutMs: number, context: ErrorContext, message?: string) {
    super(
      message ?? sentence(
        `got no answer within ${timeoutMs} ms`,
        "the VMM may still be working on the request, or busy with another call: raise timeoutMs to wait longer",
        context,
      ),
      context,
    );
    this.timeoutMs = timeoutMs;
  }
}

/** A call or an argument was refused before anything was done. */
export class InvalidRequestError extends CloudHypervisorError {
  /** The name of the class. */
  override readonly name = "InvalidRequestError";
  /** Which of its kind it is. */
  override readonly code: InvalidRequestErrorCode;
  /** The argument or the field of the body that is wrong, as `memory.size`. */
  readonly field: string;

  /** Words the message from the field and the reason. */
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
  /** Which of its kind it is. */
  override readonly code = "vmm_exited";
  /** Its exit code, or `null` when a signal ended it or nobody knows. */
  readonly exitCode: number | null;
  /** The signal that ended it, as `SIGKILL`, or `null`. */
  readonly signal: string | null;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;

  /** Words the message from what is known of the end. */
  constructor(exit: VmmExit, context: ErrorContext = {}) {
    const said = exit.stderr.trimEnd();
    super(
      `The VMM ${howItEnded(exit, context)}${said && `: ${said}`}`,
      context,
    );
    this.exitCode = exit.exitCode;
    this.signal = exit.signal;
    this.stderr = exit.stderr;
  }
}

/** How a VMM process ended. */
export interface VmmExit {
  /** Its exit code, or `null` when a signal ended it or nobody knows. */
  readonly exitCode: number | null;
  /** The signal that ended it, as `SIGKILL`, or `null`. */
  readonly signal: string | null;
  /** The end of what it wrote to stderr; empty when nobody knows. */
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

const REACH: Record<ConnectionErrorCode, [problem: string, advice: string]> = {
  socket_missing: [
    "no such socket",
    "start the VMM with --api-socket, or check the path",
  ],
  refused: [
    "nothing listens on the socket",
    "a VMM that died leaves its socket behind; start it again, or check that the path is a socket",
  ],
  permission_denied: [
    "the operating system denies access to the socket",
    "run as the user that started the VMM, whose socket has mode 0700",
  ],
  runtime_permission: [
    "the runtime's permissions deny access to the socket",
    "in Deno allow all of --allow-read=SOCKET --allow-write=SOCKET --allow-net=unix:SOCKET,192.0.2.1:80",
  ],
  closed: [
    "the connection ended before the answer was complete",
    "the VMM may have done it or have died: ask vm.info before trying again",
  ],
  not_http: [
    "what listens on the socket does not answer as a VMM",
    "check that the path is the API socket of cloud-hypervisor",
  ],
};

/** Requests that are known to kill some builds, and so to end a connection. */
const LETHAL: { readonly [name in OperationName]?: string } = {
  "vm.create":
    "a body over about 249 KB kills a VMM whose seccomp filter lacks mremap",
  "vm.send-migration":
    "a local migration kills a VMM whose seccomp filter lacks newfstatat",
};

function sentence(
  what: string,
  advice: string | undefined,
  { operation, socketPath }: ErrorContext,
): string {
  const where = socketPath === undefined ? "" : ` on "${socketPath}"`;
  const end = advice === undefined ? "" : `; ${advice}`;
  return `${operation ?? "The request"}${where} ${what}${end}`;
}

/** One line: not a backtrace of the VMM's, nor a page of somebody else's. */
function clip(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
