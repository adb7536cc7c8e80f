/**
 * Runs the tests under another version of a runtime: `deno task test:on
 * node@22.18.0`, then parts of file names. The locked one is put back.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGES: Record<string, string> = {
  deno: "deno",
  bun: "bun",
  node: `node-linux-${process.arch}`,
};

function run(program: string, ...args: string[]): number {
  return spawnSync(program, args, { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

function install(...args: string[]): number {
  // npm's notes on installed packages know nothing of --no-save.
  rmSync(`${ROOT}node_modules/.package-lock.json`, { force: true });
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return run("npm", "install", "--no-save", ...quiet, ...args);
}

const [runtime = "", ...files] = process.argv.slice(2);
const [name = "", version] = runtime.split("@");
if (PACKAGES[name] === undefined || !version) {
  console.error("usage: versions.ts deno|bun|node@VERSION [FILES]");
  process.exit(2);
}
const wanted = `${PACKAGES[name]}@${version}`;
let failed = install(wanted);
if (failed === 0) {
  const program = `${ROOT}node_modules/.bin/deno`;
  const args = ["run", "-A", "tools/test/run.ts", "--runtime", name, ...files];
  failed = run(program, ...args);
}
process.exitCode = install() || failed;
