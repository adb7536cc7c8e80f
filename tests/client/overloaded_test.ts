/** A VMM whose ten connections are taken: nothing was done, on every runtime. */
import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { ApiError, type Client, createClient, unixFetch } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory, programs } from "../support/vmms.ts";

/** Holds all ten connections; the VMM may refuse some at first. */
async function occupy(path: string, held = new Set<Socket>()) {
  for (let refused = 0; refused < 3;) {
    while (held.size < 10) {
      const socket = connect(path);
      held.add(socket);
      socket.on("error", () => {}).on("close", () => held.delete(socket));
      await new Promise<void>((resolve) => {
        socket.once("connect", resolve).once("close", () => resolve());
      });
    }
    const code = await outcome(createClient(path).vmm.ping());
    refused = code === "overloaded" && held.size === 10 ? refused + 1 : 0;
  }
  return held;
}

/** The code of a call, or "done". */
function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(() => "done", (error) => {
    assert.ok(error instanceof ApiError, `${error.code}: ${error.cause}`);
    assert.equal(error.retry, "now");
    return error.code;
  });
}

const CALLS: { readonly [body: string]: (client: Client) => Promise<unknown> } =
  {
    "no body": ({ vmm }) => vmm.ping(),
    "500 bytes": ({ vm }) =>
      vm.create({ payload: { kernel: "/".repeat(500) } }),
    "40 KB": ({ vm }) => vm.create({ payload: { kernel: "/".repeat(40_000) } }),
  };

for (const { name, command, test } of programs) {
  test(`calls to ${name} whose connections are taken are overloaded`, async () => {
    const vmm = await spawnVmm({ command });
    try {
      const held = await occupy(vmm.socketPath);
      for (const [body, call] of Object.entries(CALLS)) {
        for (let i = 0; i < 10; i++) {
          const code = await outcome(call(createClient(vmm.socketPath)));
          // A runtime may report late that the VMM had refused one of the ten.
          if (held.size < 10) await occupy(vmm.socketPath, held);
          else assert.equal(code, "overloaded", body);
        }
      }
      const response = await unixFetch(vmm.socketPath)("http://vmm/any");
      assert.equal(response.status, 503);
      for (const socket of held) socket.destroy();
    } finally {
      await vmm.kill();
    }
  });

  test(`32 calls at once to ${name} are done or overloaded`, async () => {
    const vmm = await spawnVmm({ command });
    try {
      const all: string[] = [];
      for (let round = 0; round < 3; round++) {
        const clients = Array.from({ length: 8 }, () => {
          return createClient(vmm.socketPath);
        });
        const codes = await Promise.all(
          clients.flatMap(({ vmm }) =>
            Array.from({ length: 4 }, () => outcome(vmm.ping()))
          ),
        );
        all.push(...codes);
      }
      // A busy host may open the connections one after the other.
      assert.ok(all.includes("done"));
      const other = all.filter((code) => !/^(done|overloaded)$/.test(code));
      assert.deepEqual(other, []);
    } finally {
      await vmm.kill();
    }
  });
}

const testReset = testIf(
  !("Bun" in globalThis),
  "Bun loses the response of a connection that has ended",
);

testReset(
  "a program that closes each connection at once is no full VMM",
  () =>
    inDirectory(async (directory) => {
      const path = join(directory, "api.sock");
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(path, resolve));
      await assert.rejects(createClient(path).vmm.ping(), { code: "closed" });
      server.close();
    }),
);
