/** The fake's HTTP server, by its bytes. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { FakeVmm, type FakeVmmOptions } from "../../testing/mod.ts";
import { releaseNames, releases } from "../../testing/release.ts";
import { raw } from "./replay.ts";

const PING = "GET /api/v1/vmm.ping HTTP/1.1\r\n\r\n";

async function started(
  options: FakeVmmOptions,
  body: (vmm: FakeVmm) => Promise<void>,
): Promise<void> {
  const vmm = await FakeVmm.start(options);
  try {
    await body(vmm);
  } finally {
    await vmm.close();
  }
}

/** The statuses of the answers in a text, in their order. */
function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+) \r\n/g)].map(([, code]) =>
    Number(code)
  );
}

test("FakeVmm sends the headers of micro_http", () =>
  started({}, async ({ socketPath }) => {
    const text = await raw(socketPath, PING);
    const head = "HTTP/1.1 200 \r\nServer: Cloud Hypervisor API\r\n" +
      "Connection: keep-alive\r\nContent-Type: application/json\r\n" +
      "Content-Length: ";
    assert.ok(text.startsWith(head), text);
    const none = await raw(
      socketPath,
      "PUT /api/v1/vm.delete HTTP/1.1\r\n\r\n",
    );
    assert.equal(
      none,
      "HTTP/1.1 204 \r\nServer: Cloud Hypervisor API\r\n" +
        "Connection: keep-alive\r\n\r\n",
    );
  }));

test("FakeVmm answers the eleventh connection with a 503", () =>
  started({}, async (vmm) => {
    const open: Socket[] = [];
    for (let count = 0; count < 10; count++) {
      const socket = connect(vmm.socketPath);
      open.push(socket);
      await new Promise((resolve) => {
        socket.once("data", resolve);
        socket.write(PING);
      });
    }
    assert.equal(vmm.openConnections, 10);
    assert.equal(
      await raw(vmm.socketPath, "", 2),
      "HTTP/1.1 503\r\nServer: Firecracker API\r\nConnection: close\r\n" +
        "Content-Length: 40\r\n\r\n" +
        '{ "error": "Too many open connections" }',
    );
    const gone = new Promise((resolve) => open[0]!.once("close", resolve));
    open[0]!.destroy();
    await gone;
    while (vmm.openConnections === 10) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(statuses(await raw(vmm.socketPath, PING)), [200]);
    for (const socket of open) socket.destroy();
  }));

test("FakeVmm keeps a connection open although the client asks to close it", () =>
  started({}, async ({ socketPath }) => {
    const close = "GET /api/v1/vmm.ping HTTP/1.1\r\nConnection: close\r\n\r\n";
    const old = "GET /api/v1/vmm.ping HTTP/1.0\r\n\r\n";
    const text = await raw(socketPath, close + old + PING, 3);
    assert.deepEqual(statuses(text), [200, 200, 200]);
  }));

test("FakeVmm accepts targets in origin and absolute form, without a query", () =>
  started({}, async ({ socketPath }) => {
    const targets = {
      "http://x/api/v1/vmm.ping": 200,
      "/api/v1/vmm.ping/": 404,
      "/api/v1/vmm.ping?a": 404,
      "http://x": 404,
      "api/v1/vmm.ping": 404,
      "https://x/api/v1/vmm.ping": 404,
    };
    for (const [target, status] of Object.entries(targets)) {
      const text = await raw(socketPath, `GET ${target} HTTP/1.1\r\n\r\n`);
      assert.deepEqual(statuses(text), [status], target);
    }
  }));

test("FakeVmm refuses requests that micro_http cannot parse", () =>
  started({}, async ({ socketPath }) => {
    const cases: readonly (readonly [string, string])[] = [
      ["POST /a HTTP/1.1\r\n", "Invalid HTTP Method: Unsupported HTTP method."],
      ["get /a HTTP/1.1\r\n", "Invalid HTTP Method: Unsupported HTTP method."],
      [
        "GET /a HTTP/2.0\r\n",
        "Invalid HTTP Version: Unsupported HTTP version.",
      ],
      ["GET  HTTP/1.1\r\n", "Invalid URI: Empty URI not allowed."],
      ["\r\n", "Invalid request."],
      [
        "GET /a HTTP/1.1\r\nnocolon\r\n\r\n",
        "Invalid header. Reason: Header is incorrectly formatted. " +
        "Key: nocolon",
      ],
      [
        "PUT /a HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "Invalid header. Reason: Invalid value. Key:Content-Length; Value: x",
      ],
      [
        "PUT /a HTTP/1.1\r\nAccept-Encoding: identity;q=0\r\n\r\n",
        "Invalid header. Reason: Invalid value. Key:Accept-Encoding; " +
        "Value:identity;q=0",
      ],
      ["GET /" + "a".repeat(1100), "Invalid request."],
    ];
    for (const [bytes, message] of cases) {
      const text = await raw(socketPath, bytes);
      assert.ok(text.includes("Server: Firecracker API"), text);
      assert.equal(
        text.slice(text.indexOf("\r\n\r\n") + 4),
        `{ "error": "${message}\n` +
          'All previous unanswered requests will be dropped." }',
      );
    }
  }));

test("FakeVmm reads on after a bad request line, not after a bad header", () =>
  started({}, async ({ socketPath }) => {
    const socket = connect(socketPath);
    const ask = (bytes: string) =>
      new Promise<string>((resolve) => {
        socket.once("data", (chunk) => resolve(String(chunk)));
        socket.write(bytes);
      });
    assert.deepEqual(statuses(await ask("nonsense\r\n\r\n")), [400]);
    assert.deepEqual(statuses(await ask(PING)), [200]);
    assert.deepEqual(
      statuses(await ask("GET / HTTP/1.1\r\nnocolon\r\n\r\n")),
      [400],
    );
    assert.deepEqual(statuses(await ask(PING)), [400]);
    socket.destroy();
  }));

test("FakeVmm drops the requests that came with a broken one", () =>
  started({}, async (vmm) => {
    const text = await raw(vmm.socketPath, `${PING}nonsense\r\n\r\n`);
    assert.deepEqual(statuses(text), [400]);
    assert.deepEqual(vmm.requests, []);
  }));

test("FakeVmm treats a chunked body as the next request", () =>
  started({ files: "any" }, async (vmm) => {
    const head = "PUT /api/v1/vm.delete HTTP/1.1\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n";
    assert.deepEqual(statuses(await raw(vmm.socketPath, head)), [204]);
    const whole = await raw(vmm.socketPath, `${head}2\r\n{}\r\n0\r\n\r\n`);
    assert.deepEqual(statuses(whole), [400]);
    assert.equal(vmm.requests.length, 1);
  }));

test("FakeVmm answers Expect: 100-continue with a 100", () =>
  started({}, async ({ socketPath }) => {
    const text = await raw(
      socketPath,
      "PUT /api/v1/vm.create HTTP/1.1\r\nExpect: 100-continue\r\n" +
        "Content-Length: 2\r\n\r\n{}",
      2,
    );
    assert.deepEqual(statuses(text), [100, 204]);
  }));

for (const release of releaseNames) {
  const { maxBody: limit, methods } = releases[release];
  test(`FakeVmm as ${release} takes bodies of ${limit} bytes`, () =>
    started({ release }, async ({ socketPath }) => {
      const put = (length: number) =>
        "PUT /api/v1/vm.create HTTP/1.1\r\n" +
        `Content-Length: ${length}\r\n\r\n`;
      const full = put(limit) + "{}".padEnd(limit);
      assert.deepEqual(statuses(await raw(socketPath, full)), [204]);
      const text = await raw(socketPath, put(limit + 1));
      assert.ok(
        text.includes(
          `Request payload with size ${limit + 1} is larger than the limit ` +
            `of ${limit} allowed by server.`,
        ),
        text,
      );
    }));

  test(`FakeVmm as ${release} answers methods other than GET and PUT with a 400`, () =>
    started({ release }, async ({ socketPath }) => {
      const others = methods.filter((name) => name !== "GET" && name !== "PUT");
      assert.ok(others.length > 0);
      for (const method of others) {
        const ask = (operation: string) =>
          raw(socketPath, `${method} /api/v1/${operation} HTTP/1.1\r\n\r\n`);
        assert.match(await ask("vm.boot"), / 400 [^]*Content-Length: 0\r\n/);
        assert.match(await ask("vm.info"), /\["Bad Request"\]$/);
      }
    }));
}

test("FakeVmm serves one request at a time", () =>
  started({}, async (vmm) => {
    vmm.injectFault({ operation: "vm.info", fault: "hang" });
    const hung = connect(vmm.socketPath);
    await new Promise((resolve) => hung.once("connect", resolve));
    hung.write("GET /api/v1/vm.info HTTP/1.1\r\n\r\n");
    while (vmm.requests.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const waiting = connect(vmm.socketPath, () => waiting.write(PING));
    await new Promise((resolve) => waiting.once("connect", resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(vmm.requests.length, 1);
    hung.destroy();
    waiting.destroy();
  }));

test("FakeVmm answers pipelined requests in order", () =>
  started({}, async ({ socketPath }) => {
    const info = "GET /api/v1/vm.info HTTP/1.1\r\n\r\n";
    const text = await raw(socketPath, (PING + info).repeat(20), 40);
    assert.deepEqual(
      statuses(text),
      Array.from({ length: 40 }, (_, at) => at % 2 === 0 ? 200 : 404),
    );
  }));
