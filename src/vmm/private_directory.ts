/** A directory that a sequence fills: private, and nobody's before. */
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

export interface EmptyDirectory {
  /** Absolute. */
  readonly path: string;
  /** Removes the files of these names, and the directory if it was made. */
  discard(names: readonly string[]): void;
}

/**
 * Makes a directory of mode 0700, or takes an empty one as it is. No symbolic
 * link is followed at its end.
 *
 * @throws {InvalidRequestError} `directory` when it holds something or is no
 * directory; nothing is touched then.
 */
export function openEmptyDirectory(path: string): EmptyDirectory {
  const made = lstatSync(path, { throwIfNoEntry: false }) === undefined;
  if (made) createPrivateDirectory(path);
  else assertEmpty(path);
  return {
    path,
    discard(names) {
      for (const name of names) {
        ignoreCode("ENOENT", () => unlinkSync(join(path, name)));
      }
      // What somebody else put there in the meantime stays.
      if (made) ignoreCode("ENOTEMPTY", () => rmdirSync(path));
    },
  };
}

/** Makes a directory that is the user's alone, whatever the umask says. */
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
    refuse(`"${path}" is not empty: it holds "${first}"`);
  }
}

function ignoreCode(code: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as { code?: unknown }).code !== code) throw error;
  }
}
