/**
 * Runs the tests under Deno, Bun and Node, and counts them: `deno task test`.
 * `--runtime bun client` runs the files with "client" in their names, by Bun;
 * `--seed N` repeats random tests.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Result } from "./case.ts";
import { compare } from "./compare.ts";
import { type Limits, runFile } from "./file.ts";
import { BIN, isForDeno, type Runtime, runtimes } from "./runtimes.ts";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
export const LIMITS: Limits = { testMs: 60_000, fileMs: 240_000 };
/** Most tests wait for other processes, so more files than cores run at once. */
const LANES = 3;

export interface Selection {
  /** Names of runtimes; all of them if empty. */
  only: string[];
  /** Parts of file names; all files if empty. */
  files: string[];
  /** Words in the names of the tests; all tests without. */
  words?: string;
}

/** The outcome of a test on one runtime. */
export type RuntimeResult = Result & { runtime: string };

/** Prints the outcome of the tests below `root`; false if anything failed. */
export async function run(
  root: string,
  selection: Selection,
  limits: Limits,
  print: (line: string) => void,
): Promise<boolean> {
  return passed(await runAndCount(root, selection, limits, print));
}

/** True if tests ran, and none failed. */
export function passed(all: readonly RuntimeResult[]): boolean {
  return all.length > 0 && all.every(({ outcome }) => outcome !== "failed");
}

/** Prints the outcome of the tests below `root`, and returns each of them. */
export async function runAndCount(
  root: string,
  { only, files, words = "" }: Selection,
  limits: Limits,
  print: (line: string) => void,
): Promise<RuntimeResult[]> {
  const all: RuntimeResult[] = [];
  const conclude = (runtime: string, title: string, rows: Result[]): void => {
    all.push(...rows.map((row) => ({ ...row, runtime })));
    print(`${title}: ${count(rows)}`);
    for (const row of rows) {
      if (row.outcome === "failed") print(`  failed   ${label(row)}`);
    }
  };
  const paths = testFiles(root, files);
  const ran = new Map<string, Result[]>();
  const inLane = lanes(LANES);
  const runs = runtimes
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .map((runtime) => {
      const own = paths
        .filter((path) => runtime.name === "deno" || !isForDeno(path));
      const one = (file: string): Promise<Result[]> =>
        runFile(runtime, root, file, limits, words);
      return [runtime, one, runAll(runtime, own, one, inLane)] as const;
    });
  await Promise.all(runs.map(([, , running]) => running));
  for (const [runtime, one, running] of runs) {
    const results = await repeatFailed(runtime, await running, one, print);
    ran.set(runtime.name, results.filter(({ file }) => !isForDeno(file)));
    conclude(runtime.name, `${runtime.name} ${version(runtime)}`, results);
  }
  const differences = compare(ran);
  if (differences.length > 0) {
    conclude("all", "not on every runtime", differences);
  }
  // The failures come last, since readers look at the end of a log.
  for (const line of [...skips(all), ...failures(all)]) print(line);
  print(count(all));
  return all;
}

type RunOne = (file: string) => Promise<Result[]>;

function testFiles(root: string, parts: string[]): string[] {
  return readdirSync(join(root, "tests"), { recursive: true })
    .map((name) => `tests/${name}`).sort()
    .filter((path) => path.endsWith("_test.ts"))
    .filter((path) =>
      parts.length === 0 || parts.some((part) => path.includes(part))
    );
}

async function runAll(
  runtime: Runtime,
  files: string[],
  runOne: RunOne,
  inLane: Lane,
): Promise<Result[]> {
  if (!existsSync(join(BIN, runtime.name))) {
    const error = `holds no ${runtime.name}: run npm install`;
    return [{ file: "node_modules", name: "", outcome: "failed", error }];
  }
  const results = (await Promise.all(
    files.map((file) => inLane(() => runOne(file))),
  )).flat();
  if (results.every(({ outcome }) => outcome === "skipped")) {
    const error = "no test ran";
    results.push({ file: "tests", name: "", outcome: "failed", error });
  }
  return results;
}

/**
 * Runs each file with a failure once more, alone: beside others, a slow machine
 * can pass a limit of time. The second outcome counts; the log names the file.
 */
async function repeatFailed(
  runtime: Runtime,
  results: Result[],
  runOne: RunOne,
  print: (line: string) => void,
): Promise<Result[]> {
  const failed = new Set(
    results.filter(({ file, outcome }) =>
      outcome === "failed" && file.endsWith("_test.ts")
    ).map(({ file }) => file),
  );
  const repeated: Result[] = [];
  for (const file of failed) {
    print(`  again    ${file} (${runtime.name})`);
    repeated.push(...await runOne(file));
  }
  return [...results.filter(({ file }) => !failed.has(file)), ...repeated];
}

type Lane = <T>(task: () => Promise<T>) => Promise<T>;

/** Runs tasks in the order of the calls, a number of them at once. */
function lanes(count: number): Lane {
  const free = Array.from({ length: count }, () => Promise.resolve());
  let next = Promise.resolve();
  return async (task) => {
    const turn = next.then(() =>
      Promise.race(free.map((lane, index) => lane.then(() => index)))
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    next = turn.then((index) => void (free[index] = promise));
    await turn;
    return await task().finally(resolve);
  };
}

function version({ name }: Runtime): string {
  const program = join(BIN, name);
  if (!existsSync(program)) return "is missing";
  const text = execFileSync(program, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text;
}

/** Counts the outcomes of tests. */
export function count(results: readonly Result[]): string {
  return (["passed", "failed", "skipped"] as const).map((wanted) =>
    `${results.filter(({ outcome }) => outcome === wanted).length} ${wanted}`
  ).join(", ");
}

/** Lists each skipped test once, with the runtimes that share the reason. */
function skips(all: RuntimeResult[]): string[] {
  const lines = Map.groupBy(
    all.filter(({ outcome }) => outcome === "skipped"),
    (row) => `  skipped  ${label(row)}: ${row.reason}`,
  );
  return [...lines].map(([line, rows]) =>
    `${line} (${rows.map(({ runtime }) => runtime).join(", ")})`
  );
}

function failures(all: RuntimeResult[]): string[] {
  return all.filter(({ outcome }) => outcome === "failed").flatMap((row) => [
    `  failed   ${label(row)} (${row.runtime})`,
    ...(row.error ?? "").trim().split("\n").map((line) => `    ${line}`),
  ]);
}

function label({ file, name }: Result): string {
  return name === "" ? file : `${file}: ${name}`;
}

/** Refuses names that no runtime has. */
export function checkRuntimes(wanted: readonly string[]): void {
  const unknown = wanted.filter((one) =>
    !runtimes.some(({ name }) => name === one)
  );
  if (unknown.length > 0) throw new Error(`no runtime is called ${unknown}`);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      runtime: { type: "string", multiple: true, default: [] },
      seed: { type: "string" },
    },
    allowPositionals: true,
  });
  checkRuntimes(values.runtime);
  if (values.seed !== undefined) process.env["TEST_SEED"] = values.seed;
  const selection = { only: values.runtime, files: positionals };
  const isPassed = await run(ROOT, selection, LIMITS, console.log);
  process.exitCode = isPassed ? 0 : 1;
}
