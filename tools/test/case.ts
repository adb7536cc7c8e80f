/** The outcome of one test, as a report tells it. */

export interface Case {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Why the test or one of its subtests failed. */
  error?: string;
  /** Why the test was skipped. */
  reason?: string;
}

export interface Result extends Case {
  file: string;
  /** Name of the test, or "" for a verdict on the file as a whole. */
  name: string;
}

/**
 * Stands between a skipped test's name and the reason. Deno and Bun report
 * names only, so `testIf()` in `tests/support/skip.ts` puts the reason there.
 */
export const SKIP_MARK = " # skipped: ";

/** Takes the reason out of a skipped test's name; without a reason it fails. */
export function withReason(test: Case): Case {
  if (test.outcome !== "skipped") return test;
  const [name = "", reason] = test.name.split(SKIP_MARK);
  if (reason !== undefined) return { name, outcome: "skipped", reason };
  const error = "skipped without a reason: register it with testIf()";
  return { name, outcome: "failed", error };
}
