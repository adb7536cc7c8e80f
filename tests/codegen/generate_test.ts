import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");

/** A copy of what generating needs. */
function project(): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-codegen-"));
  for (const path of ["codegen", "spec", "package.json", "package-lock.json"]) {
    cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  }
  writeFileSync(join(directory, "deno.json"), '{"nodeModulesDir":"manual"}');
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
  mkdirSync(join(directory, "src"));
  return directory;
}

/** Runs the generator from another directory; what it said. */
function generate(directory: string, command: string[], flag?: string): string {
  const [program, ...args] = command;
  const script = join(directory, "codegen/generate.ts");
  const { status, stdout, stderr } = spawnSync(
    join(BIN, program!),
    [...args, script, ...(flag ? [flag] : [])],
    { cwd: "/", encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Every file below a directory, by its path. */
function content(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true }) as string[];
  return Object.fromEntries(
    entries.sort()
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );
}

const DENO = ["deno", "run", "-A", "--no-check"];

test("generating gives the same bytes on each runtime, again and again", () => {
  const directory = project();
  const output = join(directory, "src/generated");
  const made = [DENO, ["tsx"], ["bun"]].map((command) => {
    generate(directory, command);
    return content(output);
  });
  assert.ok(Object.keys(made[0]!).length > 10);
  for (const other of made.slice(1)) assert.deepEqual(other, made[0]);
  assert.deepEqual(made[0], content(join(ROOT, "src/generated")));
  rmSync(directory, { recursive: true });
});

test("--if-stale generates what is missing or older than its source", () => {
  const directory = project();
  const made = (): boolean => generate(directory, DENO, "--if-stale") !== "";
  assert.ok(made());
  assert.ok(!made());
  for (
    const path of ["spec/cloud-hypervisor.yaml", "codegen/writers/write_api.ts"]
  ) {
    const later = Date.now() / 1000 + 5;
    utimesSync(join(directory, path), later, later);
    assert.ok(made(), path);
    utimesSync(join(directory, path), 0, 0);
    assert.ok(!made(), path);
  }
  rmSync(directory, { recursive: true });
});
