import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const onNode = !("Deno" in globalThis) && !("Bun" in globalThis);

const nodeTest = testIf(
  onNode,
  "tsc says the same on every runtime: Node asks it",
);

nodeTest("the types take what the VMM takes, and no more", () => {
  const directory = mkdtempSync(join(tmpdir(), "chv-types-"));
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: {
        typeRoots: [join(ROOT, "node_modules/@types")],
        types: ["node"],
      },
      include: [],
      files: [join(ROOT, "tests/client/types.ts")],
    }),
  );
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", directory], {
    encoding: "utf8",
  });
  rmSync(directory, { recursive: true });
  assert.equal(status, 0, stdout);
});
