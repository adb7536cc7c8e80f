/** A copy of the project, in which a test follows a guide of CONTRIBUTING.md. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DENO = join(ROOT, "node_modules/.bin/deno");
const SOURCES = ["codegen", "spec", "src", "testing", "mod.ts", "deno.json"];

/** Copies the sources and further paths; the caller removes the copy. */
export function copyProject(...more: string[]): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-copy-"));
  for (const path of [...SOURCES, "package.json", ...more]) {
    cpSync(join(ROOT, path), join(directory, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
  return directory;
}

/** Changes a file of the copy; it is an error if nothing changes. */
export function edit(
  directory: string,
  path: string,
  change: (text: string) => string,
): void {
  const before = readFileSync(join(directory, path), "utf8");
  const after = change(before);
  assert.notEqual(after, before, path);
  writeFileSync(join(directory, path), after);
}

export function deno(
  cwd: string,
  ...args: string[]
): { status: number; output: string } {
  const { status, stdout, stderr } = spawnSync(DENO, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status: status ?? 1, output: stdout + stderr };
}

/** Runs Deno, and fails unless it succeeds. */
export function denoPasses(cwd: string, ...args: string[]): void {
  const { status, output } = deno(cwd, ...args);
  assert.equal(status, 0, output);
}
