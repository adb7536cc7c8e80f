/** Runs one test file in a process of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Case, type Result, withReason } from "./case.ts";
import { type End, execute } from "./execute.ts";
import { BIN, type Runtime } from "./runtimes.ts";

/** Limits of time. */
export interface Limits {
  /** For one test, where the runtime has such a limit. */
  testMs: number;
  fileMs: number;
}

/**
 * Returns the outcome of each test in `file`, a path relative to `root`. With
 * `words`, only of the tests that have them in their names, if there are any.
 */
export async function runFile(
  runtime: Runtime,
  root: string,
  file: string,
  { testMs, fileMs }: Limits,
  words = "",
): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  const report = join(folder, "report");
  const uncaught = join(folder, "uncaught");
  const output = join(folder, "output");
  try {
    const end = await execute(
      join(BIN, runtime.name),
      runtime.args(file, report, testMs, words),
      {
        cwd: root,
        env: { TEST_UNCAUGHT: uncaught, NODE_COMPILE_CACHE: COMPILE_CACHE },
        output,
        limitMs: fileMs,
      },
    );
    const listed = cases(runtime, report);
    // Node lists a file that crashed or has no tests under the file's name.
    const tests = (listed ?? []).filter(({ name }) => name !== file)
      .filter(({ name }) => name.includes(words))
      .map(withReason);
    // Bun ends with 1 where no test has the words.
    if (words && end.code === 1 && tests.length === 0 && listed) end.code = 0;
    const whole = end.isLate
      ? `still running after ${fileMs} ms`
      : fault(end, listed, file, lines(uncaught));
    const error = whole === undefined
      ? tests.length === 0 && !words ? "no test ran" : undefined
      : [whole, ...lines(output).slice(-15)].join("\n");
    if (error !== undefined) tests.push({ name: "", outcome: "failed", error });
    return tests.map((result) => ({ ...result, file }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Without a cache, each process of Node removes the types of each module again:
 * two thirds of the time of a test that starts programs.
 */
const COMPILE_CACHE = join(BIN, "../.cache/node");

function cases(runtime: Runtime, report: string): Case[] | undefined {
  try {
    return runtime.read(readFileSync(report, "utf8"));
  } catch {
    return undefined;
  }
}

/** Returns what went wrong outside of any test. */
function fault(
  { code, signal }: End,
  listed: Case[] | undefined,
  file: string,
  uncaught: string[],
): string | undefined {
  const ended = signal === null ? `exit code ${code}` : `killed by ${signal}`;
  if (uncaught.length > 0) return `uncaught: ${uncaught.join("\n")}`;
  if (listed === undefined) return `${ended} and no report`;
  const failed = listed.filter(({ outcome }) => outcome === "failed");
  const whole = failed.find(({ name }) => name === file);
  if (whole !== undefined) return `${whole.error}, outside of any test`;
  if (code !== 0 && failed.length === 0) return `${ended}, yet no test failed`;
  return undefined;
}

function lines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line.trim());
}
