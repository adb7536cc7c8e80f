/** Checks the certificates of an encrypted migration. */
import { statSync } from "node:fs";
import { join } from "node:path";

const NO_SUCH_FILE = "No such file or directory (os error 2)";

/** Returns the error messages about the files of one side, if any. */
export function checkTlsFiles(
  directory: string,
  end: "server" | "client",
): readonly string[] | undefined {
  const problem = problemOf(directory, end);
  if (problem === undefined) return undefined;
  return problem.endsWith(NO_SUCH_FILE) ? [problem, NO_SUCH_FILE] : [problem];
}

function problemOf(
  directory: string,
  end: "server" | "client",
): string | undefined {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) {
    return "TLS directory does not exist or is inaccessible: " +
      `${directory}: ${NO_SUCH_FILE}`;
  }
  if (!stat.isDirectory()) {
    return `TLS directory must point to a directory: ${directory}`;
  }
  for (const name of ["ca-cert.pem", `${end}-cert.pem`, `${end}-key.pem`]) {
    const path = join(directory, name);
    const file = statSync(path, { throwIfNoEntry: false });
    if (file?.isFile()) continue;
    return file === undefined
      ? `Missing required TLS file for migration ${end}: ${path}`
      : `Required TLS path for migration ${end} must be a regular file: ${path}`;
  }
  return undefined;
}
