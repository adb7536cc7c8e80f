import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Entry from "../../mod.ts";
import { bundle } from "../../tools/figures.ts";
import { reply, serve } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");

test("mod.ts works as a bundle, which holds no hey-api", async () => {
  const text = bundle();
  for (const word of ["interceptors", "parseAs", "bodySerializer"]) {
    assert.ok(!text.includes(word), word);
  }

  const server = await serve((socket) => socket.write(reply(200, '{"pid":7}')));
  const directory = mkdtempSync(join(tmpdir(), "chv-bundle-"));
  const path = join(directory, "bundle.mjs");
  writeFileSync(path, text);
  const { createClient } = await import(
    pathToFileURL(path).href
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
