/**
 * Deno loads this before a test file. Deno's node:test lets a test pass after
 * an error that no test catches, also after an error while the file loads.
 */
import { appendFileSync } from "node:fs";
import process from "node:process";

const file = process.env["TEST_UNCAUGHT"];

addEventListener("error", (event) => note((event as ErrorEvent).error));
addEventListener(
  "unhandledrejection",
  (event) => note((event as PromiseRejectionEvent).reason),
);

function note(error: unknown): void {
  const text = error instanceof Error ? error.stack ?? error.message : error;
  if (file) appendFileSync(file, `${text}\n`);
}
