/** How the stand-in program is run. */
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * The argument list that runs the stand-in program with the current runtime:
 * its flags are to follow.
 */
export function fakeCommand(): string[] {
  // Installed from npm, the files are JavaScript.
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const url = new URL(`./cloud-hypervisor.${extension}`, import.meta.url);
  const program = url.protocol === "file:" ? fileURLToPath(url) : url.href;
  const runtime = process.execPath;
  if (process.versions["deno"] !== undefined) {
    return [runtime, "run", "--quiet", "--allow-all", program];
  }
  return [runtime, program];
}
