/** Says what is wrong with a path at which no socket answers. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { GuestError, type GuestErrorCode } from "../errors/guest_error.ts";

/**
 * The same error; if the path of the error cannot be a socket, an error that
 * names the reason. Call it once for each failure that the script gets, because
 * it looks at directories for which Deno may ask the user.
 */
export function explained(error: unknown): unknown {
  if (!(error instanceof GuestError) || !error.path) return error;
  if (!UNREACHED.has(error.code)) return error;
  const { path, cause } = error;
  const problem = problemOf(path);
  if (problem === undefined) return error;
  const [code, text] = problem;
  return new GuestError(code, `"${path}": ${text}`, { path, cause });
}

/** The codes with which the runtimes report a path that is no socket. */
const UNREACHED: ReadonlySet<string> = new Set([
  "socket_missing",
  "refused",
  "permission_denied",
]);

function problemOf(path: string): [GuestErrorCode, string] | undefined {
  const kind = kindOf(path);
  if (kind === "file" || kind === "directory") {
    return ["refused", `the path is a ${kind}, not a socket`];
  }
  if (kind !== "missing") return undefined;
  // The outermost directory that is missing: the others are missing with it.
  let missing: string | undefined;
  for (let parent = dirname(path);; parent = dirname(parent)) {
    const kind = kindOf(parent);
    if (kind === "file") {
      return ["socket_missing", `"${parent}" is not a directory`];
    }
    if (kind !== "missing") break;
    missing = parent;
  }
  if (missing === undefined) return undefined;
  return ["socket_missing", `the directory "${missing}" does not exist`];
}

/** `unknown` also for a path that the permissions hide. */
function kindOf(path: string): "file" | "directory" | "missing" | "unknown" {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return "missing";
    if (stat.isDirectory()) return "directory";
    return stat.isFile() ? "file" : "unknown";
  } catch (error) {
    const { code } = error as { code?: unknown };
    return code === "ENOTDIR" || code === "ENOENT" ? "missing" : "unknown";
  }
}
