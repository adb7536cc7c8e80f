import assert from "node:assert/strict";
import { test } from "node:test";
import { createSdk } from "../../src/sdk/mod.ts";
import { bodyOf, pathOf, reply, serve } from "../support/server.ts";

test("createSdk() gives hey-api's results, with exact integers", async () => {
  const counters =
    '{"_disk0":{"read_ops":0,"read_latency_min":18446744073709551615}}';
  const server = await serve((socket, request) =>
    socket.write(
      pathOf(request).endsWith("counters")
        ? reply(200, counters)
        : pathOf(request).endsWith("info")
        ? reply(200, '{"state":"Created","device_tree":null}')
        : pathOf(request).endsWith("boot")
        ? reply(404, '["Error from API","VM is not created"]')
        : reply(204),
    )
  );
  const sdk = createSdk(server.path);
  const { data, response } = await sdk.vm.counters();
  assert.equal(response?.status, 200);
  assert.deepEqual(data, {
    _disk0: { read_ops: 0n, read_latency_min: 18446744073709551615n },
  });

  const info = await sdk.vm.info();
  assert.deepEqual(info.data, { state: "Created" });

  const size = 2n ** 60n;
  const created = await sdk.vm.create({ body: { memory: { size } } });
  assert.equal(created.response?.status, 204);
  assert.equal(bodyOf(server.requests.at(-1)!), `{"memory":{"size":${size}}}`);

  const { error } = await sdk.vm.boot();
  assert.deepEqual(error, ["Error from API", "VM is not created"]);
  await assert.rejects(sdk.vm.boot({ throwOnError: true }));

  const seen: string[] = [];
  sdk.client.interceptors.request.use((request) => {
    seen.push(request.method);
    return request;
  });
  await Promise.all(Array.from({ length: 30 }, () => sdk.vm.pause()));
  assert.equal(seen.length, 30);
  await server.idle();
  sdk.close();
  const closed = await sdk.vm.pause();
  assert.equal((closed.error as { code?: string }).code, "invalid_request");
  await server.close();
});
