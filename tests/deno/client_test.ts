/** What Deno's own sanitizers see, which watch no test of node:test. */
import assert from "node:assert/strict";
import { createClient, unixFetch } from "../../mod.ts";
import { FakeVmm } from "../../testing/mod.ts";

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
