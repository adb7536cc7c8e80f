/** Writes the body of a request. */
import type { ErrorContext } from "../errors/base_error.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import { InexactValueError, stringify } from "../json/json.ts";

/** @throws {InvalidRequestError} if the body has no JSON that the VMM reads. */
export function serialize(body: unknown, context: ErrorContext): string {
  const refuse = (field: string, reason: string, cause?: unknown): never => {
    const details = cause === undefined ? context : { ...context, cause };
    throw new InvalidRequestError("invalid_request", field, reason, details);
  };
  try {
    const text = stringify(body) ??
      refuse("body", "the operation takes a body, and none was given");
    const key = DESCRIPTOR.exec(text)?.[1];
    if (key === undefined) return text;
    return refuse(pathOf(JSON.parse(text), key) ?? key, WITHOUT_DESCRIPTORS);
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    return error instanceof InexactValueError
      ? refuse(error.path, error.message)
      : refuse("body", `the body cannot be written as JSON: ${error}`, error);
  }
}

/** The path of the first member of that name with numbers. */
function pathOf(
  value: object,
  key: string,
  path: string = "",
): string | undefined {
  for (const [name, part] of Object.entries(value)) {
    const dot = path && `${path}.`;
    const step = Array.isArray(value) ? `${path}[${name}]` : dot + name;
    if (name === key && /^\d/.test(String(part))) return step;
    const found = Object(part) === part ? pathOf(part, key, step) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** A key with a number in its place; a quote within a text has a backslash. */
const DESCRIPTOR = /"(fds?|iommufd_fd)":\[?\d/;
const WITHOUT_DESCRIPTORS =
  "JSON carries no file descriptor; use spawnVmm({ fds, args }) or ch-remote";
