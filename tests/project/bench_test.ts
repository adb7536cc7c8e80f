/** The bench runs, and prints what it measured. No time is asserted. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inDirectory } from "../support/vmms.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNTIME = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

const CASES = ["ping", "vm.info, 64 devices", "vm.create, 100 KiB"];
const ROWS = ["bare", "bare again", "this client", "./sdk"];
const LINES = [
  ...CASES.flatMap((title) => ROWS.map((row) => `| ${title} | ${row} |`)),
  ...[...ROWS, "import alone"].map((row) =>
    `| a script of one ping | ${row} |`
  ),
];

test("bench --quick writes all its tables", () =>
  inDirectory((directory) => {
    const out = join(directory, "results.md");
    const { status, stderr } = spawnSync(
      join(ROOT, "node_modules/.bin/deno"),
      [
        ...["run", "-A", join(ROOT, "bench/bench.ts"), "--quick"],
        ...["--runtime", RUNTIME, "--out", out],
      ],
      { encoding: "utf8" },
    );
    assert.equal(status, 0, stderr);
    const text = readFileSync(out, "utf8");
    for (const line of LINES) assert.ok(text.includes(line), line);
    assert.match(text, /^\| 20 times the JSON of vm\.info \| exact \|/m);
    assert.equal(text.match(/^\| \d+ \| \d+\.\d\d \|$/gm)?.length, 10);
    assert.doesNotMatch(text, /NaN|undefined|Infinity/);
  }));

test("bench/results.md has every case and runtime", () => {
  const text = readFileSync(join(ROOT, "bench/results.md"), "utf8");
  for (const line of LINES) assert.ok(text.includes(line), line);
  for (const runtime of ["deno", "bun", "node"]) {
    assert.match(text, new RegExp(`^## ${runtime} \\d`, "m"));
  }
});
