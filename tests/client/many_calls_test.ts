/** Many calls at once, and a VMM that has ten connections for everybody. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient } from "../../mod.ts";

const PROGRAM = fileURLToPath(
  new URL("../programs/many_calls.ts", import.meta.url),
);

/** Runs `body` beside a VMM; resolves to how many connections stayed open. */
async function beside(
  body: (socketPath: string) => Promise<void>,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "chv-crowd-"));
  const path = join(directory, "api.sock");
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...run, PROGRAM, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  await body(path);
  const told = once(child.stdout, "data");
  child.stdin.end();
  const [open] = await told;
  await ended;
  rmSync(directory, { recursive: true });
  return Number(`${open}`);
}

test("100 calls at once succeed, and so does another client's beside them", async () => {
  const open = await beside(async (path) => {
    const client = createClient(path);
    const other = createClient(path, { maxConnections: 1 });
    for (let round = 0; round < 3; round++) {
      let going = true;
      const crowd = Promise.all(
        Array.from({ length: 100 }, () => client.vmm.ping()),
      ).finally(() => going = false);
      while (going) await other.vmm.ping();
      assert.equal((await crowd).length, 100);
    }
  });
  assert.equal(open, 0);
});

test("100 calls at once succeed with nine of the ten connections", async () => {
  const open = await beside(async (path) => {
    const client = createClient(path, { maxConnections: 9 });
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 100 }, () => client.vmm.ping()));
    }
  });
  assert.equal(open, 0);
});

test("two crowds of calls on one VMM both succeed", async () => {
  const open = await beside(async (path) => {
    const clients = [createClient(path), createClient(path)];
    for (let round = 0; round < 5; round++) {
      const calls = clients.flatMap(({ vmm }) =>
        Array.from({ length: 100 }, () => vmm.ping())
      );
      assert.equal((await Promise.all(calls)).length, 200);
    }
  });
  assert.equal(open, 0);
});
