/** What a runtime's report says of one test. */

export interface Case {
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Why it failed, that of its subtests included. */
  error?: string;
}
