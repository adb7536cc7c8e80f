/** Makes errors out of their plain data. */
import {
  CloudHypervisorError,
  type ErrorContext,
  type ErrorJson,
} from "./base_error.ts";
import { codeTable } from "./code_table.ts";
import type { ErrorCode } from "./error_code.ts";
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  InvalidRequestError,
  VmmExitedError,
} from "./errors.ts";

/** Makes an error whose fields are then set, but for those that are errors. */
type Factory = (context: ErrorContext, json: ErrorJson) => CloudHypervisorError;

const factories: Map<string, Factory> = new Map<string, Factory>([
  ["ApiError", (context) => new ApiError(0, [], context)],
  ["ConnectionError", (context) => new ConnectionError("closed", context)],
  ["TimeoutError", (context) => new DeadlineError(0, context)],
  [
    "InvalidRequestError",
    (context) => new InvalidRequestError("invalid_request", "", "", context),
  ],
  [
    "VmmExitedError",
    (context) =>
      new VmmExitedError({ exitCode: null, signal: null, stderr: "" }, context),
  ],
]);

/**
 * Lets {@linkcode errorFrom} make the errors of a class that the root does not
 * import. The class calls it in a static block, so that it is known once its
 * entry is imported.
 */
export function registerError(name: string, factory: Factory): void {
  factories.set(name, factory);
}

/**
 * Makes an error again from what its `toJSON()` returned, for instance after a
 * job queue or a worker passed it on as JSON. Class, message, code and all other
 * fields are those of the first error; causes that are not of this library
 * become plain `Error`s. An error of an entry that is not imported, such as the
 * `RollbackError` of `./workflows`, becomes a `CloudHypervisorError` with the
 * same code.
 *
 * @throws {InvalidRequestError} when `json` is not such data.
 *
 * @example
 * ```ts
 * import { createClient, errorFrom } from "@chv/cloud-hypervisor";
 *
 * const client = createClient("/run/vm0/api.sock");
 * const text = await client.vm.boot().then(() => "", JSON.stringify);
 * if (text !== "") console.log(errorFrom(JSON.parse(text)).retry);
 * ```
 */
export function errorFrom(json: unknown): CloudHypervisorError {
  if (!isErrorJson(json)) {
    throw new InvalidRequestError(
      "invalid_request",
      "json",
      "is not an error of this library as toJSON() writes it",
    );
  }
  return make(json, causeOf(json));
}

/** Makes an error, or another value that was thrown, from its plain data. */
export function thrownFrom(json: unknown): unknown {
  return toCause(json, causeOf(json));
}

function causeOf(json: unknown): unknown {
  const { causes } = Object(json) as { causes?: unknown };
  if (!Array.isArray(causes)) return undefined;
  return causes.reduceRight((inner, outer) => toCause(outer, inner), undefined);
}

function toCause(json: unknown, cause: unknown): unknown {
  if (isErrorJson(json)) return make(json, cause);
  if (typeof json !== "object" || json === null) return json;
  const { name, message, code } = json as Record<string, unknown>;
  if (name === undefined) return message;
  const options = cause === undefined ? {} : { cause };
  const error = new Error(String(message), options);
  return Object.assign(error, { name }, code === undefined ? {} : { code });
}

function make(json: ErrorJson, cause: unknown): CloudHypervisorError {
  const context: ErrorContext = cause === undefined ? {} : { cause };
  const factory = factories.get(json.name) ??
    ((context) => new UnknownError(json, context));
  const error = factory(context, json);
  const fields = error as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(json)) {
    // The data may come from elsewhere: it adds no field to the class.
    if (!Object.hasOwn(error, name) || fields[name] instanceof Error) continue;
    fields[name] = value;
  }
  return error;
}

function isErrorJson(json: unknown): json is ErrorJson {
  if (typeof json !== "object" || json === null) return false;
  const { name, message, code } = json as Record<string, unknown>;
  return typeof name === "string" && typeof message === "string" &&
    typeof code === "string" && Object.hasOwn(codeTable, code);
}

/** An error whose class is not imported here. */
class UnknownError extends CloudHypervisorError {
  override readonly name: string;
  override readonly code: ErrorCode;

  constructor({ name, message, code }: ErrorJson, context: ErrorContext) {
    super(message, context);
    this.name = name;
    this.code = code;
  }
}
