/** The runtime that the script runs on, as a command that evaluates code. */
import { basename } from "node:path";
import process from "node:process";

/**
 * The start of a command line whose next argument is JavaScript, or undefined
 * where the program is the script itself, compiled.
 */
export function evalCommand(): string[] | undefined {
  const { execPath, versions } = process;
  // A compiled script has its own name, and knows nothing of `-e`.
  if (!/^(deno|bun|node|nodejs)(\.exe|[-._]?\d.*)?$/.test(basename(execPath))) {
    return undefined;
  }
  return versions["deno"] === undefined
    ? [execPath, "-e"]
    : [execPath, "eval", "--quiet"];
}
