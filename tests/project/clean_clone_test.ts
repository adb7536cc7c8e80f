/** A clean clone installs, and no documented command changes a file of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import project from "../../package.json" with { type: "json" };
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MADE = ["node_modules", "generated", ".git"];

test("package-lock.json holds what package.json asks for", () => {
  const args = ["ci", "--dry-run", "--offline", "--loglevel=error"];
  const options = { cwd: ROOT, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync("npm", args, options);
  assert.equal(status, 0, stdout + stderr);
});

test("package-lock.json has the packages of every platform", () => {
  const { packages } = JSON.parse(read(ROOT, "package-lock.json")) as {
    packages: Record<string, { optionalDependencies?: object }>;
  };
  let platforms = 0;
  for (const { optionalDependencies = {} } of Object.values(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(`node_modules/${name}` in packages, name);
      platforms++;
    }
  }
  assert.ok(platforms > 20, `${platforms} packages`);
});

const denoTest = testIf("Deno" in globalThis, "Deno runs it alone");

denoTest("npm run gen and npm run demo change no file", () => {
  const copy = mkdtempSync(join(tmpdir(), "chv-clone-"));
  try {
    const isMade = (path: string): boolean =>
      MADE.some((name) => path === join(ROOT, name)) ||
      path === join(ROOT, "src/generated");
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !isMade(path) });
    // Links, since the runtimes are large.
    const from = join(ROOT, "node_modules");
    const { status } = spawnSync("cp", ["-al", from, copy]);
    if (status !== 0) {
      cpSync(from, join(copy, "node_modules"), { recursive: true });
    }
    const before = files(copy);
    assert.ok(before.size > 200, `${before.size} files`);
    for (const script of ["gen", "demo"]) {
      npmRun(copy, script);
      const after = files(copy);
      assert.deepEqual([...after.keys()], [...before.keys()], script);
      const changed = [...after].filter(([name, text]) =>
        before.get(name) !== text
      );
      assert.deepEqual(changed.map(([name]) => name), [], script);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test("no script of npm may write package-lock.json", () => {
  const tasks = JSON.parse(read(ROOT, "deno.json")).tasks as Record<
    string,
    { command: string }
  >;
  const commands = [
    ...Object.values(project.scripts),
    ...Object.values(tasks).map(({ command }) => command),
    ...read(ROOT, ".ci/run").split("\n"),
  ].filter((command) => command.includes("npm install"));
  assert.ok(commands.length > 4);
  const writing = commands.filter((command) => !command.includes("--no-save"));
  assert.deepEqual(writing, []);
});

function npmRun(cwd: string, script: string): void {
  const { CLOUD_HYPERVISOR: _, ...env } = process.env;
  const options = { cwd, env, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync("npm", ["run", script], options);
  assert.equal(status, 0, stdout + stderr);
}

/** The files that Git would see, with their text. */
function files(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => path.slice(folder.length + 1))
    .filter((path) => !path.startsWith("node_modules/"))
    .filter((path) => !path.startsWith("src/generated/"))
    .sort();
  return new Map(names.map((name) => [name, read(folder, name)]));
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}
