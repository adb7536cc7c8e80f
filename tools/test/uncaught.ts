/**
 * Loaded by Deno before a test file: its node:test keeps an error that no test
 * catches, also one thrown while the file loads, from failing anything.
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
