/** Runs one test file in a process of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { type End, execute } from "./execute.ts";
import { BIN, type Runtime } from "./runtimes.ts";

export interface Result extends Case {
  file: string;
  /** The test's, or "" for what is said of the file as a whole. */
  name: string;
  /** Why it was skipped. */
  reason?: string;
}

export interface Limits {
  /** For one test, where the runtime has such a limit. */
  testMs: number;
  fileMs: number;
}

/** The outcome of each test in `file`, a path relative to `root`. */
export async function runFile(
  runtime: Runtime,
  root: string,
  file: string,
  { testMs, fileMs }: Limits,
): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  const [report, skips, uncaught, output] = [
    "report",
    "skips",
    "uncaught",
    "output",
  ].map((name) => join(folder, name)) as [string, string, string, string];
  try {
    const end = await execute(
      join(BIN, runtime.name),
      runtime.args(file, report, testMs),
      { root, env: { TEST_SKIPS: skips, TEST_UNCAUGHT: uncaught }, output },
      fileMs,
    );
    const listed = cases(runtime, report);
    const own = (listed ?? []).filter(({ name }) => name !== file);
    const reasons = lines(skips).map((line) => JSON.parse(line) as string);
    const broken = fault(end, listed, file, lines(uncaught));
    const error = broken === undefined
      ? lack(own, reasons)
      : [broken, ...tail(lines(output))].join("\n");
    return [
      ...withReasons(own, reasons),
      ...error === undefined
        ? []
        : [{ name: "", outcome: "failed", error } as const],
    ].map((result) => ({ ...result, file }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cases(runtime: Runtime, report: string): Case[] | undefined {
  try {
    return runtime.read(readFileSync(report, "utf8"));
  } catch {
    return undefined;
  }
}

/** What went wrong outside of any test. */
function fault(
  { code, signal, lateMs }: End,
  listed: Case[] | undefined,
  file: string,
  uncaught: string[],
): string | undefined {
  const ended = signal === null ? `exit code ${code}` : `killed by ${signal}`;
  if (lateMs !== undefined) return `still running after ${lateMs} ms`;
  if (uncaught.length > 0) return `uncaught: ${uncaught.join("\n")}`;
  if (listed === undefined) return `${ended} and no report`;
  const failed = listed.filter(({ outcome }) => outcome === "failed");
  // Node lists a file that crashed or has no tests under the file's name.
  const whole = failed.find(({ name }) => name === file);
  if (whole !== undefined) return `${whole.error}, outside of any test`;
  if (code !== 0 && failed.length === 0) return `${ended}, yet no test failed`;
  return undefined;
}

/** What must be there and is not. */
function lack(own: Case[], reasons: string[]): string | undefined {
  if (own.length === 0) return "no test ran";
  if (own.some(({ outcome }) => outcome === "failed")) return undefined;
  const skipped = own.filter(({ outcome }) => outcome === "skipped").length;
  if (skipped === reasons.length) return undefined;
  return `skipped ${skipped}, reasons given ${reasons.length}: ` +
    "call skipUnless() in the options of each skipped test";
}

/** Reasons come in the order of the tests. */
function withReasons(
  own: Case[],
  reasons: string[],
): (Case & { reason?: string })[] {
  const left = [...reasons];
  return own.map((row) =>
    row.outcome === "skipped"
      ? { ...row, reason: left.shift() ?? "no reason given" }
      : row
  );
}

function tail(output: string[]): string[] {
  return output.filter((line) => line.trim() !== "").slice(-15);
}

function lines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
}
