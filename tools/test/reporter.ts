/**
 * A reporter for Node: one line of JSON for each top-level test. Node's own
 * JUnit reporter omits a test that fails after its subtests passed.
 */
import type { Case } from "./case.ts";

/** The part of an event of node:test that is used here. */
interface Event {
  type: string;
  data: {
    nesting: number;
    name: string;
    skip?: string | boolean;
    todo?: string | boolean;
    details: { error?: Failure };
  };
}

interface Failure {
  message: string;
  cause?: unknown;
  /** Of the file's process. */
  exitCode?: number | null;
  signal?: string | null;
}

export default async function* report(
  events: AsyncIterable<Event>,
): AsyncGenerator<string> {
  let errors: string[] = [];
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, nesting, skip = false, todo = false } = data;
    const isSkipped = skip !== false || todo !== false;
    if (type === "test:fail" && !isSkipped) errors.push(text(data));
    if (nesting > 0) continue;
    const result: Case = isSkipped
      ? { name, outcome: "skipped" }
      : type === "test:pass"
      ? { name, outcome: "passed" }
      : { name, outcome: "failed", error: errors.join("\n") };
    yield `${JSON.stringify(result)}\n`;
    errors = [];
  }
}

function text({ nesting, name, details: { error } }: Event["data"]): string {
  const { cause, message, exitCode, signal }: Failure = error ??
    { message: "failed" };
  if (signal) return `killed by ${signal}`;
  if (exitCode !== undefined) return `exit code ${exitCode}`;
  const stack = cause instanceof Error ? cause.stack : cause ?? message;
  return nesting > 0 ? `${name}: ${stack}` : `${stack}`;
}
