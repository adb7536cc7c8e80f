import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { pathOf, reply, serve } from "../support/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Values that cover every name and every address, but for ranges of IPv6. */
const NO_PROXY = [
  "localhost,127.0.0.1,::1,10.0.0.0/8,*",
  "0.0.0.0/0",
  "0.0.0.0/1,128.0.0.0/1,192.0.2.0/24",
  "*",
  ".",
];

/** Runs a script on this runtime with variables in both spellings. */
async function run(
  script: string,
  variables: Record<string, string>,
): Promise<string> {
  const args = "Deno" in globalThis
    ? ["run", "-A", "--no-check", script]
    : [script];
  const lower = Object.entries(variables)
    .map(([name, value]) => [name.toLowerCase(), value]);
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...variables, ...Object.fromEntries(lower) },
  });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  await new Promise((resolve) => child.on("close", resolve));
  return text.trim();
}

test("no variable leads a request past the socket", async () => {
  const strays: string[] = [];
  const listen = async (
    port: number,
  ): Promise<ReturnType<typeof createServer>> => {
    const server = createServer((socket) => {
      strays.push(`${socket.localAddress}:${socket.localPort}`);
      socket.on("error", () => {}).destroy();
    });
    await new Promise<void>((resolve) =>
      // Somebody else may hold port 80, or not allow for it.
      server.on("error", () => resolve()).listen(port, "127.0.0.1", resolve)
    );
    return server;
  };
  const proxy = await listen(0);
  const web = await listen(80);
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  const server = await serve((socket) => socket.write(reply(200, '{"pid":7}')));
  const directory = mkdtempSync(join(tmpdir(), "chv-proxy-"));
  const script = join(directory, "script.mts");
  const path = (file: string): string => JSON.stringify(join(ROOT, file));
  writeFileSync(
    script,
    `import { createClient, unixFetch } from ${path("mod.ts")};
     import { createSdk } from ${path("src/sdk/mod.ts")};
     const socket = ${JSON.stringify(server.path)};
     await createClient(socket).vmm.ping();
     await createClient(socket).vm.boot();
     for (const host of ["localhost", "127.0.0.1", "10.1.2.3", "example.com"]) {
       await unixFetch(socket)("http://" + host + "/fetched");
     }
     const { error } = await createSdk(socket).vmm.ping();
     console.log(error ?? "done");`,
  );
  const through = {
    HTTP_PROXY: address,
    HTTPS_PROXY: address,
    ALL_PROXY: address,
    NODE_USE_ENV_PROXY: "1",
  };
  const values = NO_PROXY.map((value) => ({ ...through, NO_PROXY: value }));
  for (const variables of [through, ...values]) {
    server.requests.length = 0;
    assert.equal(await run(script, variables), "done");
    assert.deepEqual(server.requests.map(pathOf), [
      "/api/v1/vmm.ping",
      "/api/v1/vm.boot",
      "/fetched",
      "/fetched",
      "/fetched",
      "/fetched",
      "/api/v1/vmm.ping",
    ]);
  }
  assert.deepEqual(strays, []);
  proxy.close();
  web.close();
  await server.close();
  rmSync(directory, { recursive: true });
});
