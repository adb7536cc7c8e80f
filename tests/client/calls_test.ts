/** Calls to a server that follows a script. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  ConnectionError,
  createClient,
  type CreateClientOptions,
  DeadlineError,
  InvalidRequestError,
  unixFetch,
} from "../../mod.ts";
import {
  bodyOf,
  pathOf,
  reply,
  type Script,
  type ScriptedServer,
  serving,
} from "../support/server.ts";

const PING = '{"build_version":"v","version":"54.0.0","pid":1,"features":[]}';

/** As `serving`, with a way to make clients. */
function withServer(
  script: Script,
  body: (
    server: ScriptedServer,
    connect: (options?: CreateClientOptions) => ReturnType<typeof createClient>,
  ) => Promise<void>,
): Promise<void> {
  return serving(
    script,
    (server) => body(server, (options) => createClient(server.path, options)),
  );
}

const answering: Script = (socket, request) =>
  socket.write(
    pathOf(request).endsWith("ping") ? reply(200, PING) : reply(204),
  );

/** Answers with bytes and ends the connection. */
const ending = (bytes: string): Script => (socket) => socket.end(bytes);

test("a call keeps 64-bit integers exact both ways", () =>
  withServer((socket, request) => {
    const counters = '{"_disk0":{"read_ops":0,"read_bytes":512,' +
      '"read_latency_min":18446744073709551615}}';
    socket.write(
      pathOf(request).endsWith("counters") ? reply(200, counters) : reply(204),
    );
  }, async (server, connect) => {
    const { vm } = connect();
    assert.deepEqual(await vm.counters(), {
      _disk0: {
        read_ops: 0n,
        read_bytes: 512n,
        read_latency_min: 18446744073709551615n,
      },
    });
    await vm.create({ memory: { size: 2n ** 53n + 1n } });
    assert.equal(
      bodyOf(server.requests.at(-1)!),
      '{"memory":{"size":9007199254740993}}',
    );
    const sent = server.requests.length;
    for (const size of [2 ** 53 + 2, 1.5, NaN]) {
      await assert.rejects(
        vm.create({ memory: { size } }),
        (error) =>
          error instanceof InvalidRequestError &&
          error.code === "invalid_request" && error.field === "memory.size",
      );
    }
    await assert.rejects(vm.create(undefined as never), { field: "body" });
    assert.equal(server.requests.length, sent);
  }));

test("a hot-added device has an address, a cold-added one is undefined", () => {
  const answers = [reply(204), reply(200, '{"id":"a","bdf":"0000:00:06.0"}')];
  return withServer((socket, request) => {
    if (pathOf(request).endsWith("ping")) socket.write(reply(200, PING));
    else socket.write(answers.shift()!);
  }, async (_, connect) => {
    const { vm } = connect();
    assert.equal(await vm.addDisk({ path: "/a" }), undefined);
    assert.deepEqual(await vm.addDisk({ path: "/a" }), {
      id: "a",
      bdf: "0000:00:06.0",
    });
  });
});

for (
  const [how, script] of Object.entries<Script>({
    "200 without a body": (socket) => socket.write(reply(200, "")),
    "204": (socket) => socket.write(reply(204)),
    "an end of the connection": (socket) => socket.destroy(),
  })
) {
  test(`vmm.shutdown takes ${how} for success`, () =>
    withServer(script, async (_, connect) => {
      assert.equal(await connect().vmm.shutdown(), undefined);
    }));
}

test("a PUT whose connection dies is sent once", () =>
  withServer((socket, request) => {
    if (pathOf(request).endsWith("ping")) socket.write(reply(200, PING));
    else socket.destroy();
  }, async (server, connect) => {
    const client = connect();
    for (let i = 0; i < 5; i++) await client.vmm.ping();
    server.requests.length = 0;
    await assert.rejects(
      client.vm.boot(),
      (error) => error instanceof ConnectionError && error.code === "closed",
    );
    await assert.rejects(client.vm.addDisk({ path: "/a" }), { code: "closed" });
    assert.deepEqual(server.requests.map(pathOf), [
      "/api/v1/vm.boot",
      "/api/v1/vm.add-disk",
    ]);
    await client.vmm.ping();
  }));

const CUT = reply(200, PING);

for (
  const [what, bytes, code] of [
    ["nothing", "", "closed"],
    ["half a status line", CUT.slice(0, 6), "closed"],
    ["half of the headers", CUT.slice(0, 40), "closed"],
    ["half a body", CUT.slice(0, -10), "closed"],
    ["a banner", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "not_http"],
    // Not more, for Bun takes bytes that are no text for an early end.
    ["a status line without a status", "HTTP/1.1 abc\r\n\r\n", "not_http"],
    ["no JSON", reply(200, "<html></html>"), "not_http"],
    ["no data where it is due", reply(200, ""), "not_http"],
  ] as const
) {
  test(`an answer of ${what} is ${code}`, () =>
    withServer(ending(bytes), async (server, connect) => {
      await assert.rejects(connect().vmm.ping(), (error) => {
        assert.ok(error instanceof ConnectionError, `${error}`);
        assert.equal(error.code, code, `${error.cause}`);
        assert.ok(error.message.includes("vmm.ping"), error.message);
        assert.ok(error.message.includes(server.path), error.message);
        return true;
      });
    }));
}

test("a refusal is an ApiError with the status and the chain", () =>
  withServer(
    (socket) =>
      socket.write(reply(404, '["Error from API","VM is not created"]')),
    async (_, connect) => {
      await assert.rejects(connect().vm.info(), (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.code, "not_created");
        assert.equal(error.status, 404);
        assert.deepEqual(error.messages, [
          "Error from API",
          "VM is not created",
        ]);
        assert.equal(error.operation, "vm.info");
        return true;
      });
    },
  ));

test("an answer without end is given up", () =>
  withServer((socket, request) => {
    if (pathOf(request).endsWith("ping")) return socket.write(reply(200, PING));
    socket.write("HTTP/1.1 200 \r\nConnection: close\r\n\r\n");
    const chunk = " ".repeat(1024 * 1024);
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk));
      socket.once("drain", more);
    };
    more();
  }, async (_, connect) => {
    await assert.rejects(connect().vm.info(), { code: "not_http" });
  }));

test("a deadline rejects with DeadlineError, and frees the slot", () =>
  withServer((socket, request) => {
    if (pathOf(request).endsWith("ping")) socket.write(reply(200, PING));
  }, async (_, connect) => {
    const client = connect({
      maxConnections: 1,
      timeoutMs: { "vm.info": 20, "vm.boot": 30 },
    });
    const calls = [
      client.vm.info(),
      client.vm.boot(),
      client.vm.pause({ timeoutMs: 40 }),
    ];
    // All at once: on a slow machine, they reject in one turn.
    const errors = await Promise.all(
      calls.map((call) => call.then(() => undefined, (error) => error)),
    );
    for (const [i, ms] of [20, 30, 40].entries()) {
      const error = errors[i];
      assert.ok(error instanceof DeadlineError, `${error}`);
      assert.equal(error.code, "deadline");
      assert.equal(error.name, "TimeoutError");
      assert.equal(error.timeoutMs, ms);
    }
    await client.vmm.ping({ timeoutMs: 2 ** 31 });
    await client.vmm.ping({ timeoutMs: Infinity });
  }));

test("timeoutMs is positive", () =>
  withServer(answering, async (server, connect) => {
    for (const timeoutMs of [0, -1, NaN, "5" as never]) {
      await assert.rejects(connect().vmm.ping({ timeoutMs }), RangeError);
      assert.throws(() => connect({ timeoutMs }), RangeError);
    }
    const unknown = { "vm.nope": 1 } as never;
    assert.throws(() => connect({ timeoutMs: unknown }), /"vm\.nope"/);
    assert.equal(server.requests.length, 0);
  }));

test("an aborted call rejects with the caller's own reason", () =>
  withServer((socket, request) => {
    if (pathOf(request).endsWith("ping")) socket.write(reply(200, PING));
    // Half an answer, so that one call is aborted within the body.
    if (pathOf(request).endsWith("pause")) socket.write(CUT.slice(0, -10));
  }, async (server, connect) => {
    const client = connect({ maxConnections: 2 });
    const reason = { why: "enough" };
    const controller = new AbortController();
    const calls = [
      client.vm.boot({ signal: controller.signal }),
      client.vm.pause({ signal: controller.signal }),
      client.vm.resume({ signal: controller.signal }),
    ];
    const outcomes = Promise.allSettled(calls);
    while (server.requests.length < 2) await new Promise(setImmediate);
    controller.abort(reason);
    for (const outcome of await outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal((outcome as PromiseRejectedResult).reason, reason);
    }
    const late = client.vm.nmi({ signal: controller.signal });
    await assert.rejects(late, (error) => error === reason);
    assert.equal(server.requests.length, 2);
    await client.vmm.ping();
  }));

test("calls wait for a connection, however many there are", () =>
  withServer(answering, async (server, connect) => {
    const client = connect();
    await Promise.all(Array.from({ length: 100 }, () => client.vmm.ping()));
    assert.equal(server.requests.length, 100);
    for (const maxConnections of [0, 10, 1.5]) {
      assert.throws(() => connect({ maxConnections }), RangeError);
    }
  }));

test("close() refuses new calls and lets running ones finish", () =>
  withServer(answering, async (_, connect) => {
    const client = connect({ maxConnections: 1 });
    const running = [client.vmm.ping(), client.vmm.ping()];
    client.close();
    client.close();
    await assert.rejects(
      client.vmm.ping(),
      (error) =>
        error instanceof InvalidRequestError && error.field === "client",
    );
    await Promise.all(running);
  }));

test("the option fetch makes the requests", () =>
  withServer(answering, async (server, connect) => {
    const seen: string[] = [];
    const fetch = unixFetch(server.path);
    const { vmm } = connect({
      fetch: (url, init) => {
        seen.push(`${init.method} ${new URL(url).pathname}`);
        return fetch(url, init);
      },
    });
    assert.equal((await vmm.ping()).version, "54.0.0");
    assert.deepEqual(seen, ["GET /api/v1/vmm.ping"]);
  }));

test("unixFetch() sends what a fetch is given to the socket", () =>
  withServer((socket) => {
    const moved = "Location: http://127.0.0.1:9/\r\nServer:";
    socket.write(reply(302, "[]").replace("Server:", moved));
  }, async (server) => {
    const fetch = unixFetch(server.path);
    const stream = new Response('{"a":1}').body!;
    const inputs: [string | URL | Request, RequestInit?][] = [
      ["/a?b=c"],
      [new URL("https://example.com/a?b=c")],
      [new Request("http://example.com/a?b=c", { method: "PUT", body: "{}" })],
      [
        "http://x/a?b=c",
        { method: "PUT", body: stream, duplex: "half" } as RequestInit,
      ],
    ];
    for (const [input, init] of inputs) {
      const response = await fetch(input, init);
      assert.equal(response.status, 302);
      assert.equal(await response.text(), "[]");
      assert.equal(pathOf(server.requests.at(-1)!), "/a?b=c");
    }
    assert.deepEqual(server.requests.map(bodyOf), ["", "", "{}", '{"a":1}']);
    assert.match(server.requests.at(-1)!, /^content-length: 7\r$/im);
    await Promise.all(Array.from({ length: 100 }, () => fetch("/")));
    fetch.close();
    await assert.rejects(fetch("/"), { code: "invalid_request" });
  }));

const FATAL: [field: string, body: object][] = [
  ["console.file", { console: { mode: "File" } }],
  ["serial.file", { serial: { mode: "File" } }],
  ["debug_console.file", { debug_console: { mode: "File" } }],
  ["serial.socket", { serial: { mode: "Socket" } }],
  ["memory.size", { memory: { size: 0 } }],
  ["memory.size", { memory: { size: 0n } }],
];

test("a request that stops the VMM is refused unless allowFatal is set", () =>
  withServer(answering, async (server, connect) => {
    const { vm } = connect();
    for (const [field, body] of FATAL) {
      const refused = { code: "fatal_request", field };
      await assert.rejects(vm.create(body), refused);
    }
    for (const host of ["localhost:1", "1:2:3", "host"]) {
      const receiver_url = `tcp:${host}`;
      const refused = { code: "fatal_request", field: "receiver_url" };
      await assert.rejects(vm.receiveMigration({ receiver_url }), refused);
    }
    assert.equal(server.requests.length, 0);
    for (const url of ["tcp:127.0.0.1:1", "tcp:[::1]:1", "unix:/tmp/m"]) {
      await vm.receiveMigration({ receiver_url: url });
    }
    await vm.create({ serial: { mode: "File", file: "/tmp/log" } });
    await vm.create({ memory: { size: 0, zones: [{ id: "a", size: 1 }] } });
    const allowed = connect({ allowFatal: true });
    for (const [, body] of FATAL) await allowed.vm.create(body);
    await allowed.vm.receiveMigration({ receiver_url: "tcp:localhost:1" });
    assert.equal(server.requests.length, 5 + FATAL.length + 1);
  }));
