/** Leaks that Deno's own sanitizers find, which watch no test of node:test. */
import assert from "node:assert/strict";
import { createClient, unixFetch } from "../../mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { serve } from "../support/server.ts";

Deno.test("a client that was closed leaves nothing open", async () => {
  await using vmm = await FakeVmm.start();
  using client = createClient(vmm.socketPath);
  await client.vmm.ping();
  await assert.rejects(client.vm.info(), { code: "not_created" });
  await Promise.all(Array.from({ length: 20 }, () => client.vmm.ping()));
  const given = AbortSignal.abort("enough");
  await client.vmm.ping({ signal: given }).catch(() => {});
});

Deno.test("a fetch that was closed leaves nothing open", async () => {
  await using vmm = await FakeVmm.start();
  using fetch = unixFetch(vmm.socketPath);
  // Nobody reads these answers.
  await fetch("/api/v1/vmm.ping");
  await fetch("/api/v1/nowhere");
});

Deno.test("a client without a VMM leaves nothing open", async () => {
  using client = createClient("/nowhere/api.sock");
  await assert.rejects(client.vmm.ping(), { code: "socket_missing" });
});

Deno.test("calls that were given up leave nothing open", async () => {
  await using vmm = await FakeVmm.start();
  using client = createClient(vmm.socketPath, { maxConnections: 1 });
  vmm.injectFault({ operation: "vm.info", fault: "hang", times: Infinity });
  const late = client.vm.info({ timeoutMs: 20 });
  await assert.rejects(late, { code: "deadline" });
  const controller = new AbortController();
  const { signal } = controller;
  const calls = Promise.allSettled([
    client.vm.info({ signal }),
    client.vm.info({ signal, timeoutMs: Infinity }),
  ]);
  controller.abort("enough");
  for (const outcome of await calls) {
    assert.deepEqual(outcome, { status: "rejected", reason: "enough" });
  }
});

Deno.test("answers that are none leave nothing open", async () => {
  const answers = ["", "garbage".repeat(10), "HTTP/1.1 200 \r\nServer"];
  const server = await serve((socket) => socket.end(answers.shift()!));
  using client = createClient(server.path);
  using fetch = unixFetch(server.path);
  await assert.rejects(client.vm.boot(), { code: "closed" });
  await assert.rejects(client.vm.boot(), { code: "not_http" });
  await assert.rejects(fetch("/"), { code: "closed" });
  await server.close();
});
