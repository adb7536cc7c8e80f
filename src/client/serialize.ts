/** Writes the body of a request. */
import type { ErrorContext } from "../errors/base_error.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import { InexactValueError, pathTo, stringify } from "../json/json.ts";

/** @throws {InvalidRequestError} if the body has no JSON that the VMM reads. */
export function serialize(body: unknown, context: ErrorContext): string {
  const refuse = (field: string, reason: string, cause?: unknown): never => {
    const details = cause === undefined ? context : { ...context, cause };
    throw new InvalidRequestError("invalid_request", field, reason, details);
  };
  try {
    const text = stringify(body) ??
      refuse("body", "the operation takes a body, and none was given");
    const field = DESCRIPTOR.exec(text)?.[1];
    if (field === undefined) return text;
    const value = JSON.parse(text);
    JSON.stringify(value, function (key, item) {
      if (key !== field || !/^\d/.test(item)) return item;
      refuse(pathTo(value, this, key), WITHOUT_DESCRIPTORS);
    });
    return text;
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    return error instanceof InexactValueError
      ? refuse(error.path, error.message)
      : refuse("body", `the body cannot be written as JSON: ${error}`, error);
  }
}

/** A key with a number in its place; a quote within a text has a backslash. */
const DESCRIPTOR = /"(fds?|iommufd_fd)":\[?\d/;
const WITHOUT_DESCRIPTORS =
  "JSON carries no file descriptor; use spawnVmm({ fds, args }) or ch-remote";
