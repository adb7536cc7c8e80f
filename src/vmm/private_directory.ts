/** Directories that only the user can read. */
import {
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { InvalidRequestError } from "../errors/errors.ts";

/** A directory that a workflow fills. */
export interface EmptyDirectory {
  /** The absolute path. */
  readonly path: string;
  /** Removes the files of these names, and the directory if it was created. */
  discard(names: readonly string[]): void;
}

/**
 * Creates a directory of mode 0700, or opens an empty one. A symbolic link in
 * place of the directory is not followed.
 *
 * @throws {InvalidRequestError} `directory` when it is not empty or is no
 * directory; nothing is changed then.
 */
export function openEmptyDirectory(path: string): EmptyDirectory {
  let isMissing: boolean;
  try {
    isMissing = lstatSync(path, { throwIfNoEntry: false }) === undefined;
    if (isMissing) createPrivateDirectory(path);
    else assertEmpty(path);
  } catch (error) {
    throw error instanceof InvalidRequestError
      ? error
      : cannotOpen(path, error);
  }
  return {
    path,
    discard(names) {
      for (const name of names) {
        ignoreCode("ENOENT", () => unlinkSync(join(path, name)));
      }
      // Files that another program put there in the meantime stay.
      if (isMissing) ignoreCode("ENOTEMPTY", () => rmdirSync(path));
    },
  };
}

/** The error for a directory that cannot be created or read. */
export function cannotOpen(path: string, cause: unknown): InvalidRequestError {
  const { code, message } = cause as { code?: unknown; message: string };
  const reason = code === "ENOENT"
    ? `the parent of "${path}" does not exist`
    : `"${path}" cannot be used: ${message}`;
  const context = { cause };
  return new InvalidRequestError(
    "invalid_request",
    "directory",
    reason,
    context,
  );
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

function assertEmpty(path: string): void {
  const refuse = (reason: string): never => {
    throw new InvalidRequestError("invalid_request", "directory", reason);
  };
  if (!lstatSync(path).isDirectory()) refuse(`"${path}" is no directory`);
  const [first] = readdirSync(path);
  if (first !== undefined) {
    refuse(`"${path}" is not empty: it contains "${first}"`);
  }
}

function ignoreCode(code: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as { code?: unknown }).code !== code) throw error;
  }
}
