/**
 * Runs the tests under Deno, Bun and Node, and counts them: `deno task test`.
 * `--runtime bun client` runs the files with "client" in their names, by Bun.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compare } from "./compare.ts";
import { type Limits, type Result, runFile } from "./file.ts";
import { BIN, type Runtime, runtimes } from "./runtimes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIMITS: Limits = { testMs: 60_000, fileMs: 180_000 };

export interface Selection {
  /** Names of runtimes; all of them if empty. */
  only: string[];
  /** Parts of file names; all files if empty. */
  files: string[];
}

/** What a runtime made of a test. */
type Told = Result & { runtime: string };

/** Prints what ran below `root`; false if anything failed. */
export async function run(
  root: string,
  { only, files }: Selection,
  limits: Limits,
  print: (line: string) => void,
): Promise<boolean> {
  const chosen = runtimes.filter(({ name }) =>
    only.length === 0 || only.includes(name)
  );
  const found = find(root, files);
  const sanitized = found.filter(isSanitized);
  const shared = found.filter((file) => !isSanitized(file));
  const ran = new Map<string, Result[]>();
  const all: Told[] = [];
  const conclude = (runtime: string, title: string, rows: Result[]): void => {
    all.push(...rows.map((row) => ({ ...row, runtime })));
    print(`${title}: ${count(rows)}`);
    for (const row of rows) {
      if (row.outcome === "failed") print(`  failed   ${label(row)}`);
    }
  };
  // One after another: the tests share two cores and measure what is open.
  for (const runtime of chosen) {
    const own = runtime.name === "deno" ? sanitized : [];
    const results = await runAll(runtime, root, [...shared, ...own], limits);
    ran.set(runtime.name, results.filter(({ file }) => !own.includes(file)));
    conclude(runtime.name, `${runtime.name} ${version(runtime)}`, results);
  }
  const differences = compare(ran);
  if (differences.length > 0) {
    conclude("all", "not on every runtime", differences);
  }
  // The failures last: the end of a log is what is looked at.
  for (const line of [...skips(all), ...failures(all)]) print(line);
  print(count(all));
  return all.length > 0 && all.every(({ outcome }) => outcome !== "failed");
}

/** The test files below `tests/` whose paths have one of the parts. */
function find(root: string, parts: string[]): string[] {
  return readdirSync(join(root, "tests"), { recursive: true })
    .map(String).sort()
    .filter((name) => name.endsWith("_test.ts"))
    .filter((name) =>
      parts.length === 0 || parts.some((part) => name.includes(part))
    )
    .map((name) => `tests/${name}`);
}

/** Deno alone runs these, and checks that they leave nothing open. */
function isSanitized(file: string): boolean {
  return file.startsWith("tests/deno/");
}

async function runAll(
  runtime: Runtime,
  root: string,
  files: string[],
  limits: Limits,
): Promise<Result[]> {
  const results: Result[] = [];
  const fail = (file: string, error: string): void => {
    results.push({ file, name: "", outcome: "failed", error });
  };
  if (!existsSync(join(BIN, runtime.name))) {
    fail("node_modules", `holds no ${runtime.name}: run npm install`);
    return results;
  }
  for (const file of files) {
    results.push(...await runFile(runtime, root, file, limits));
  }
  if (results.every(({ outcome }) => outcome === "skipped")) {
    fail("tests", "no test ran");
  }
  return results;
}

function version({ name }: Runtime): string {
  const program = join(BIN, name);
  if (!existsSync(program)) return "is missing";
  const said = execFileSync(program, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said;
}

function count(results: Result[]): string {
  return (["passed", "failed", "skipped"] as const).map((wanted) =>
    `${results.filter(({ outcome }) => outcome === wanted).length} ${wanted}`
  ).join(", ");
}

/** Each skipped test once, with the runtimes that share its reason. */
function skips(all: Told[]): string[] {
  const skipped = all.filter(({ outcome }) => outcome === "skipped");
  const lines = Map.groupBy(
    skipped,
    (row) => `  skipped  ${label(row)}: ${row.reason}`,
  );
  return [...lines].map(([line, rows]) =>
    `${line} (${rows.map(({ runtime }) => runtime).join(", ")})`
  );
}

function failures(all: Told[]): string[] {
  return all.flatMap((row) => {
    if (row.outcome !== "failed") return [];
    const lines = (row.error ?? "").trim().split("\n");
    return [
      `  failed   ${label(row)} (${row.runtime})`,
      ...lines.map((line) => `    ${line}`),
    ];
  });
}

function label({ file, name }: Result): string {
  return name === "" ? file : `${file}: ${name}`;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { runtime: { type: "string", multiple: true, default: [] } },
    allowPositionals: true,
  });
  const unknown = values.runtime.filter((wanted) =>
    !runtimes.some(({ name }) => name === wanted)
  );
  if (unknown.length > 0) throw new Error(`no runtime is called ${unknown}`);
  const selection = { only: values.runtime, files: positionals };
  const passed = await run(ROOT, selection, LIMITS, console.log);
  process.exitCode = passed ? 0 : 1;
}
