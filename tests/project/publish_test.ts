import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const denoTest = testIf("Deno" in globalThis, "Deno publishes");

denoTest(
  "what is published holds the generated code and no tools or tests",
  () => {
    const { status, stdout, stderr } = spawnSync(
      join(ROOT, "node_modules/.bin/deno"),
      ["publish", "--dry-run", "--allow-dirty"],
      { cwd: ROOT, encoding: "utf8" },
    );
    const text = stripVTControlCharacters(stdout + stderr);
    assert.equal(status, 0, text);
    const files = [...text.matchAll(/file:\/\/(\S+) \(/g)]
      .map(([, path]) => path!.slice(ROOT.length));
    for (
      const needed of [
        "mod.ts",
        "src/generated/api.gen.ts",
        "src/generated/types.gen.ts",
        "src/generated/sdk.gen.ts",
        "src/generated/client/client.gen.ts",
        "testing/mod.ts",
        "README.md",
        "LICENSE",
        "deno.json",
      ]
    ) assert.ok(files.includes(needed), needed);
    const others = files.filter((path) =>
      !/^(mod\.ts|src\/|testing\/|deno\.json|[A-Z]+(\.md)?$)/.test(path)
    );
    assert.deepEqual(others, []);
  },
);
