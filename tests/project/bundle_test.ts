import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Entry from "../../mod.ts";
import { reply, serve } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");

test("mod.ts in a bundle has at most 21 KiB, works, and holds no hey-api", async () => {
  const directory = mkdtempSync(join(tmpdir(), "chv-bundle-"));
  const bundle = join(directory, "bundle.mjs");
  const { status, stderr } = spawnSync(join(BIN, "bun"), [
    "build",
    "--minify",
    join(ROOT, "mod.ts"),
    `--outfile=${bundle}`,
  ], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const text = readFileSync(bundle, "utf8");
  assert.ok(text.length <= 21 * 1024, `${text.length} bytes`);
  for (const word of ["interceptors", "parseAs", "bodySerializer"]) {
    assert.ok(!text.includes(word), word);
  }

  const server = await serve((socket) => socket.write(reply(200, '{"pid":7}')));
  const { createClient } = await import(
    pathToFileURL(bundle).href
  ) as typeof Entry;
  assert.equal((await createClient(server.path).vmm.ping()).pid, 7);
  await server.close();
  rmSync(directory, { recursive: true });
});

test("mod.ts is imported, and a client made, without a permission", () => {
  const directory = mkdtempSync(join(tmpdir(), "chv-import-"));
  const script = join(directory, "script.ts");
  writeFileSync(
    script,
    `import { createClient } from ${JSON.stringify(join(ROOT, "mod.ts"))};
     console.log(createClient("/run/a.sock").socketPath);`,
  );
  const { stdout, stderr } = spawnSync(
    join(BIN, "deno"),
    ["run", "--no-prompt", "--no-check", script],
    { encoding: "utf8" },
  );
  assert.equal(stdout, "/run/a.sock\n", stderr);
  rmSync(directory, { recursive: true });
});
