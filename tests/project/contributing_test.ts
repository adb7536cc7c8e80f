/** CONTRIBUTING.md names what there is. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import project from "../../deno.json" with { type: "json" };

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const text = readFileSync(at("CONTRIBUTING.md"), "utf8");
const prose = text.replaceAll(/\s+/g, " ");

function all(pattern: RegExp, from: string): string[] {
  return [...from.matchAll(pattern)].map(([, found]) => found!);
}

test("CONTRIBUTING.md names tasks that exist", () => {
  const tasks = all(
    /deno task ([\w:-]+)/g,
    prose.replaceAll("`deno task`", ""),
  );
  assert.ok(tasks.length > 15);
  assert.deepEqual(tasks.filter((task) => !(task in project.tasks)), []);
});

test("CONTRIBUTING.md names files of tests that exist", () => {
  const names = all(/deno task test (?:--runtime \w+ )?(\w+)/g, prose);
  assert.ok(names.length > 3);
  const files = readdirSync(at("tests/"), { recursive: true }).map(String);
  for (const name of names) {
    assert.ok(files.some((file) => file.includes(name)), name);
  }
});

test("CONTRIBUTING.md links to files that exist", () => {
  const links = all(/\]\(([^)#]+)\)/g, text);
  assert.ok(links.length > 10);
  assert.deepEqual(links.filter((link) => !existsSync(at(link))), []);
});

test("the layout in CONTRIBUTING.md has every folder that there is", () => {
  const [, section] = text.split("## The layout\n");
  const paths = all(/^\| `(\S+)`/gm, section!.split("\n## ")[0]!);
  assert.deepEqual(paths.filter((path) => !existsSync(at(path))), []);
  const folders = readdirSync(at("."))
    .filter((name) => statSync(at(name)).isDirectory())
    .filter((name) => !name.startsWith(".") && name !== "node_modules")
    .map((name) => `${name}/`);
  assert.deepEqual(folders.filter((name) => !paths.includes(name)), []);
});

test("CONTRIBUTING.md has the keys of the spec that an operation needs", () => {
  const read = readFileSync(at("codegen/spec.ts"), "utf8");
  const keys = all(/^ *\| `(x-[\w-]+)`/gm, text);
  assert.deepEqual(keys.filter((key) => !read.includes(`"${key}"`)), []);
  const operation = /^export interface Operation \{[^}]*/m.exec(read)![0];
  const needed = all(/^ {2}"(x-[\w-]+)":/gm, operation);
  assert.ok(needed.length > 3);
  assert.deepEqual(needed.filter((key) => !keys.includes(key)), []);
});
