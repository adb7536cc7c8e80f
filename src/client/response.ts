/** Turns a response of the VMM into data or an error. */
import type { ErrorContext } from "../errors/base_error.ts";
import { ApiError, ConnectionError } from "../errors/errors.ts";
import type { Operation } from "../generated_support/operation.ts";
import { parse, parseBigints } from "../json/json.ts";
import { withoutNulls } from "./without_nulls.ts";

/** The data of a successful response, `undefined` if it has none. */
export function readResponse(
  { name, returns, bigint }: Operation,
  status: number,
  text: string,
  context: ErrorContext,
): unknown {
  // Only a runtime that misreads HTTP takes such a status for the final one.
  if (status < 200) throw new ConnectionError("not_http", context);
  if (status > 299) {
    throw new ApiError(status, readMessages(text), context);
  }
  if (text === "" && returns !== "data") return undefined;
  try {
    const data = bigint ? parseBigints(text) : parse(text);
    return name === "vm.info" ? withoutNulls(data) : data;
  } catch (cause) {
    throw new ConnectionError("not_http", { ...context, cause });
  }
}

/**
 * The chain of messages, outermost first. The API writes an array of strings
 * (plain text up to v46); its HTTP parser an object that is not valid JSON, for
 * the line break within the string; some refusals have no body at all.
 */
function readMessages(text: string): string[] {
  if (text === "") return [];
  const parsed = PARSER_ERROR.exec(text)?.[1];
  if (parsed !== undefined) return [parsed];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value.map(String);
  } catch {
    // Plain text.
  }
  return [text];
}

const PARSER_ERROR = /^\s*\{\s*"error":\s*"([^]*)"\s*\}\s*$/;
