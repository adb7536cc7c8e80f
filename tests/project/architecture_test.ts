/** The allowed imports between parts, and the places of runtime differences. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  architecture,
  imports,
  importsOf,
  partOf,
  sources,
} from "../../codegen/pages/architecture_page.ts";

/** The imports of each part; a new arrow is a decision, and stands here. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": [
    "src/client",
    "src/errors",
    "src/generated",
    "src/generated_support",
  ],
  "src/sdk": ["src/client", "src/generated", "src/json", "src/transport"],
  "src/process": [
    "src/arguments",
    "src/client",
    "src/errors",
    "src/events",
    "src/generated",
    "src/guest",
    "src/vmm",
    "src/wait",
  ],
  "src/workflows": [
    "src/arguments",
    "src/client",
    "src/errors",
    "src/events",
    "src/generated",
    "src/generated_support",
    "src/json",
    "src/vmm",
    "src/wait",
  ],
  "src/guest": [
    "src/arguments",
    "src/errors",
    "src/generated",
    "src/vmm",
    "src/wait",
  ],
  "src/vmm": [
    "src/client",
    "src/errors",
    "src/events",
    "src/generated",
    "src/generated_support",
    "src/wait",
  ],
  "src/events": [
    "src/arguments",
    "src/errors",
    "src/generated",
    "src/generated_support",
    "src/wait",
  ],
  "src/command_line": [
    "src/errors",
    "src/generated",
    "src/requests",
    "src/schema",
  ],
  "src/schema": [
    "src/generated",
    "src/generated_support",
    "src/json",
    "src/requests",
  ],
  "src/client": [
    "src/arguments",
    "src/errors",
    "src/generated",
    "src/generated_support",
    "src/json",
    "src/requests",
    "src/transport",
    "src/wait",
  ],
  "src/requests": ["src/generated"],
  // Only the names of error codes.
  "src/transport": ["src/errors"],
  "src/wait": ["src/errors"],
  "src/arguments": ["src/errors"],
  "src/errors": ["src/generated"],
  "src/json": [],
  "src/generated": ["src/generated_support"],
  "src/generated_support": [],
  "testing": [
    "src/command_line",
    "src/generated",
    "src/generated_support",
    "src/json",
    "src/schema",
  ],
};

test("each part imports what it may, and no more", () => {
  const found = Object.fromEntries(
    [...imports()].map(([part, others]) => [part, [...others].sort()]),
  );
  assert.deepEqual(found, ARROWS);
});

test("no file imports itself through others", () => {
  const folders = ["src", "testing", "codegen", "bench", "tools"];
  const files = ["mod.ts", ...folders.flatMap(sources)]
    // hey-api's own runtime.
    .filter((file) => !/^src\/generated\/(client|core)\//.test(file));
  assert.ok(files.length > 150);
  assert.deepEqual(cyclesOf(files), []);
});

function cyclesOf(files: readonly string[]): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) return void cycles.push(path.slice(start).join(" -> "));
    if (done.has(file) || !files.includes(file)) return;
    for (const target of importsOf(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return cycles;
}

test("the fake shares the rules and the JSON with the client, and no code", () => {
  const shared = sources("testing").flatMap(importsOf)
    .filter((file) => partOf(file) === "src/json");
  assert.deepEqual([...new Set(shared)].sort(), ["src/json/json.ts"]);
});

test("runtimes are told apart in src/transport alone", () => {
  const files = ["mod.ts", ...sources("src"), ...sources("testing")]
    .filter((file) => {
      const text = readFileSync(
        new URL(`../../${file}`, import.meta.url),
        "utf8",
      );
      const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
      return /"(Deno|Bun)"|\b(Deno|Bun)\./.test(code);
    });
  assert.ok(files.length > 0);
  assert.deepEqual(
    files.filter((file) => partOf(file) !== "src/transport"),
    [],
  );
});

test("docs/architecture.md is what the imports say", () => {
  const page = new URL("../../docs/architecture.md", import.meta.url);
  assert.ok(existsSync(page));
  assert.equal(readFileSync(page, "utf8"), architecture());
});
