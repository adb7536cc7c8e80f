/** Requests that a runtime's own HTTP client would change or repeat. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { createClient, unixFetch } from "../../mod.ts";
import { pathOf, reply, serving } from "../support/server.ts";

test("createClient() makes a connection for each request", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    const fetch = unixFetch(server.path);
    for (let i = 0; i < 5; i++) {
      await vm.boot();
      await fetch("/");
    }
    await Promise.all(Array.from({ length: 20 }, () => vm.boot()));
    assert.equal(server.requests.length, 30);
    assert.equal(server.connections(), 30);
    assert.ok(server.peak() <= 8, `${server.peak()} at once`);
  }));

for (
  const [when, bytes] of Object.entries({
    "before its answer": "",
    "within the headers": reply(200, "{}").slice(0, 40),
    "within the body": reply(200, '{"id":"a"}').slice(0, -3),
  })
) {
  test(`a PUT whose connection ends ${when} is sent once`, () =>
    serving((socket, request) => {
      if (pathOf(request).endsWith("boot")) socket.write(reply(204));
      else socket.end(bytes);
    }, async ({ path, requests }) => {
      const { vm } = createClient(path);
      await vm.boot();
      await assert.rejects(vm.addDisk({ path: "/a" }), { code: "closed" });
      await vm.boot();
      assert.deepEqual(requests.map(pathOf), [
        "/api/v1/vm.boot",
        "/api/v1/vm.add-disk",
        "/api/v1/vm.boot",
      ]);
    }));
}

/** Bun looks at no answer of fewer than 16 bytes. */
const NOT_HTTP = {
  "a banner": "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
  "QEMU's greeting": '{"QMP": {"version": {}, "capabilities": []}}\r\n',
  "control characters": "\0\x01\x02\x03".repeat(10),
  "a line without an end": "garbage".repeat(10),
  "a status that is none": "HTTP/1.1 abc\r\n\r\n",
  "a header that is none": "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
  "a length that is none": "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
  "two lengths":
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
};

for (const [what, bytes] of Object.entries(NOT_HTTP)) {
  for (const ends of [true, false]) {
    const how = ends ? "that ends" : "that stays open";
    test(`${what} on a connection ${how} is not_http`, () =>
      serving(
        (socket) => ends ? socket.end(bytes) : socket.write(bytes),
        async ({ path }) => {
          const { vm } = createClient(path, { timeoutMs: Infinity });
          await assert.rejects(vm.boot(), { code: "not_http" });
          await assert.rejects(unixFetch(path)("/"), { code: "not_http" });
        },
      ));
  }
}

test("no redirect leads away from the socket", async () => {
  let strays = 0;
  const web = createServer((socket) => {
    strays++;
    socket.on("error", () => {}).destroy();
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  const { port } = web.address() as AddressInfo;
  const found = (status: number): string =>
    `HTTP/1.1 ${status} \r\nLocation: http://127.0.0.1:${port}/\r\n` +
    "Content-Length: 0\r\n\r\n";
  const statuses = [301, 302, 303, 307, 308];
  const answers = [...statuses, ...statuses].map(found);
  const next = (): string => answers.shift() ?? reply(204);
  await serving((socket) => socket.write(next()), async (server) => {
    const { vm } = createClient(server.path);
    for (const status of statuses) await assert.rejects(vm.boot(), { status });
    const fetch = unixFetch(server.path);
    for (const status of statuses) {
      const response = await fetch("/", { method: "PUT", body: "{}" });
      assert.equal(response.status, status);
    }
    assert.equal(server.requests.length, 10);
  });
  assert.equal(strays, 0);
  await new Promise((resolve) => web.close(resolve));
});

test("unixFetch() rejects with the signal's own reason", () => {
  const controller = new AbortController();
  const reason = { why: "enough" };
  return serving(() => controller.abort(reason), async ({ path }) => {
    const { signal } = controller;
    const fetch = unixFetch(path);
    await assert.rejects(fetch("/", { signal }), (error) => error === reason);
    await assert.rejects(fetch("/", { signal }), (error) => error === reason);
  });
});

test("unixFetch() lets running requests finish after close()", () =>
  serving((socket) => socket.write(reply(200, "[]")), async ({ path }) => {
    const fetch = unixFetch(path);
    const running = Array.from({ length: 20 }, () => fetch("/"));
    // A request takes its slot only after its body was read.
    await Promise.race(running);
    fetch.close();
    fetch.close();
    for (const response of await Promise.all(running)) {
      assert.equal(await response.text(), "[]");
    }
    await assert.rejects(fetch("/"), { field: "client" });
  }));
