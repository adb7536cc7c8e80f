/** Says when a test is skipped, and why. */
import { appendFileSync } from "node:fs";
import process from "node:process";

/**
 * For a test's `skip` option: `false`, or why the test is skipped. Deno and
 * Bun print no reasons, so it is written down for `tools/test/run.ts`, which counts
 * them: call it in the options of each such test, never for a subtest.
 */
export function skipUnless(condition: boolean, reason: string): string | false {
  if (condition) return false;
  const file = process.env["TEST_SKIPS"];
  if (file) appendFileSync(file, `${JSON.stringify(reason)}\n`);
  return reason;
}
