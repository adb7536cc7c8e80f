/**
 * Node's reporter: one line of JSON for each top-level test. Its own JUnit
 * reporter omits a test that fails after its subtests passed. What the tests
 * print is passed on.
 */
import process from "node:process";
import type { Case } from "./case.ts";

/** The part of node:test's events that is used here. */
interface Event {
  type: string;
  data: {
    nesting: number;
    name: string;
    skip?: string | boolean;
    todo?: string | boolean;
    details: { error?: Failure };
    file?: string;
    message?: string;
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
    if (type !== "test:pass" && type !== "test:fail") {
      // The diagnostics of the run itself are of no file.
      if (data.message && data.file) process.stdout.write(line(data.message));
      continue;
    }
    const skipped = Boolean(data.skip ?? data.todo ?? false);
    if (type === "test:fail" && !skipped) errors.push(text(data));
    if (data.nesting > 0) continue;
    yield `${JSON.stringify(toCase(data.name, skipped, type, errors))}\n`;
    errors = [];
  }
}

function toCase(
  name: string,
  skipped: boolean,
  type: string,
  errors: string[],
): Case {
  if (skipped) return { name, outcome: "skipped" };
  if (type === "test:pass") return { name, outcome: "passed" };
  return { name, outcome: "failed", error: errors.join("\n") };
}

function text({ nesting, name, details: { error } }: Event["data"]): string {
  const { cause, message, exitCode, signal }: Failure = error ??
    { message: "failed" };
  if (signal) return `killed by ${signal}`;
  if (exitCode !== undefined) return `exit code ${exitCode}`;
  const said = cause instanceof Error ? cause.stack : cause ?? message;
  return nesting > 0 ? `${name}: ${said}` : `${said}`;
}

function line(message: string): string {
  return message.endsWith("\n") ? message : `${message}\n`;
}
