/** The bench runs, and says what it measured. Nothing is asserted of times. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { XMLValidator } from "fast-xml-parser";
import { full, quick } from "../../bench/plan.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNTIME = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

test("bench --quick writes all its tables and its chart", () => {
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-test-"));
  const { status, stderr } = spawnSync(
    join(ROOT, "node_modules/.bin/deno"),
    [
      ...["run", "-A", join(ROOT, "bench/bench.ts"), "--quick"],
      ...["--runtime", RUNTIME, "--out", directory],
    ],
    { encoding: "utf8", env: { ...process.env, CLOUD_HYPERVISOR: undefined } },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(directory).sort(), [
    "results.md",
    "results.svg",
  ]);
  const text = readFileSync(join(directory, "results.md"), "utf8");
  for (const what of CASES) assert.ok(text.includes(`| ${what} |`), what);
  for (const row of ROWS) assert.ok(text.includes(`| ${row} |`), row);
  assert.ok(!/NaN|undefined/.test(text), text);
  const chart = readFileSync(join(directory, "results.svg"), "utf8");
  assert.equal(XMLValidator.validate(chart), true);
  rmSync(directory, { recursive: true });
});

test("bench measures as much as it is asked for, and its results are all there", () => {
  assert.deepEqual(Object.keys(full).sort(), Object.keys(quick).sort());
  const url = new URL("../../bench/results.md", import.meta.url);
  const text = readFileSync(url, "utf8");
  for (const what of CASES) assert.ok(text.includes(`| ${what} |`), what);
  for (const runtime of ["deno", "bun", "node"]) {
    assert.match(text, new RegExp(`^## ${runtime} \\d`, "m"));
  }
});

const CASES = [
  "ping",
  "vm.info, 64 devices",
  "vm.create, 100 KiB",
  "a script of one ping",
  "JSON of vm.info",
  "FakeVmm, start and close",
];
const ROWS = ["bare", "bare again", "this client", "./sdk", "import alone"];
