import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("a script that boots a VM is tested as the example does it", () => {
  const path = join(ROOT, "examples/boot_test.ts");
  const args = "Deno" in globalThis
    ? ["test", "-A", "--no-check", path]
    : "Bun" in globalThis
    ? ["test", path]
    : ["--test", path];
  // Node takes it for a part of this test otherwise, and says nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout + stderr, /\b2 pass|pass 2\b/);
});

test("the README shows the example's test", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const example = readFileSync(join(ROOT, "examples/boot_test.ts"), "utf8");
  const body = example.slice(example.indexOf('test("bootVm() deletes')).trim();
  assert.ok(readme.includes(body));
});
