/** Directories that only the user can read. */
import { closeSync, constants, fchmodSync, mkdirSync, openSync } from "node:fs";
import { InvalidRequestError } from "../errors/errors.ts";

/** The error for a directory that cannot be created or read. */
export function cannotOpen(
  path: string,
  cause: unknown,
  field = "directory",
): InvalidRequestError {
  const { code, message } = cause as { code?: unknown; message: string };
  const reason = code === "ENOENT"
    ? `the parent of "${path}" does not exist`
    : `"${path}" cannot be used: ${message}`;
  const context = { cause };
  return new InvalidRequestError("invalid_request", field, reason, context);
}

/** Creates a directory of mode 0700, whatever the umask is. */
export function createPrivateDirectory(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  const flags = constants.O_RDONLY | constants.O_DIRECTORY |
    constants.O_NOFOLLOW;
  const fd = openSync(path, flags);
  try {
    fchmodSync(fd, 0o700);
  } finally {
    closeSync(fd);
  }
}
