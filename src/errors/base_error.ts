/** The base of the errors, and their form as JSON. */
import type { OperationName } from "../generated/api.gen.ts";
import { retryOf } from "./code_table.ts";
import type { ErrorCode, Retry } from "./error_code.ts";

/** The call that an error belongs to. */
export interface ErrorContext {
  /** The operation by its wire name, such as `vm.add-disk`. */
  operation?: OperationName | undefined;
  /** The API socket, absolute. */
  socketPath?: string | undefined;
  /** The value that the runtime or a step threw. */
  cause?: unknown;
}

/**
 * An error as plain data, made by `toJSON()` of any error of this library. It
 * passes through JSON, `structuredClone` and `postMessage` without a loss;
 * {@linkcode errorFrom} makes the error again.
 */
export interface ErrorJson {
  /** The name of the error, such as `ApiError`. */
  readonly name: string;
  /** The message for people. */
  readonly message: string;
  /** The stable code. */
  readonly code: ErrorCode;
  /** The advice about a second try. */
  readonly retry: Retry;
  /** The operation by its wire name, if there was one. */
  readonly operation?: OperationName;
  /** The API socket, absolute, if there was one. */
  readonly socketPath?: string;
  /** The HTTP status of an `ApiError`. */
  readonly status?: number;
  /** The VMM's chain of messages of an `ApiError`, outermost first. */
  readonly messages?: readonly string[];
  /** The causes, nearest first; none if there is no cause. */
  readonly causes: readonly CauseJson[];
  /** Further fields of the class, such as `field` or `stderr`. */
  readonly [field: string]: unknown;
}

/** A cause as plain data: an error of this library, another error, or a value. */
export interface CauseJson {
  /** The name of the error; absent if the cause is not an error. */
  readonly name?: string;
  /** The message, or the value as text. */
  readonly message: string;
  /** Further fields of an error of this library; `code` of any other error. */
  readonly [field: string]: unknown;
}

/** The base of every error of this library. */
export abstract class CloudHypervisorError extends Error {
  /** The code to decide by: stable, the same on all runtimes and releases. */
  abstract readonly code: ErrorCode;
  /** The operation by its wire name, if there was one. */
  readonly operation: OperationName | undefined;
  /** The API socket, absolute, if there was one. */
  readonly socketPath: string | undefined;

  /**
   * Only the library makes errors; tests can use `errorFrom`.
   *
   * @internal
   */
  constructor(message: string, context: ErrorContext) {
    super(message, "cause" in context ? { cause: context.cause } : {});
    this.operation = context.operation;
    this.socketPath = context.socketPath;
  }

  /** The advice about a second try. */
  get retry(): Retry {
    return retryOf(this.code);
  }

  /** The error as plain data, with its message and causes. */
  toJSON(): ErrorJson {
    return toErrorJson(this) as ErrorJson;
  }
}

/** The fields that a class of this library gives its errors, as plain data. */
function fieldsOf(error: CloudHypervisorError): Record<string, unknown> {
  const fields = Object.entries(error)
    // The cause has a place of its own.
    .filter(([, value]) => value !== undefined && value !== error.cause)
    .map(([name, value]) => [
      name,
      value instanceof Error ? toErrorJson(value) : value,
    ]);
  return Object.fromEntries(fields);
}

function toErrorJson(error: Error): CauseJson {
  return { ...toCauseJson(error), causes: causesOf(error.cause) };
}

function causesOf(cause: unknown): CauseJson[] {
  const causes: CauseJson[] = [];
  const seen = new Set<unknown>();
  while (cause !== undefined && !seen.has(cause)) {
    seen.add(cause);
    causes.push(toCauseJson(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

function toCauseJson(cause: unknown): CauseJson {
  if (!(cause instanceof Error)) return { message: String(cause) };
  const { name, message } = cause;
  if (cause instanceof CloudHypervisorError) {
    return { ...fieldsOf(cause), name, message, retry: cause.retry };
  }
  const { code } = cause as { code?: unknown };
  return typeof code === "string" ? { name, message, code } : { name, message };
}
