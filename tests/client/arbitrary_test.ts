/** Laws, on generated input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ApiError,
  CloudHypervisorError,
  ConnectionError,
  createClient,
  InvalidRequestError,
} from "../../mod.ts";
import { readResponse } from "../../src/client/response.ts";
import { readEvents, type VmmEvent } from "../../src/events/mod.ts";
import { operations } from "../../src/generated/api.gen.ts";
import { parse, parseBigints, stringify } from "../../src/json/json.ts";
import { bodyOf, reply, serving } from "../support/server.ts";
import { asyncProperty, holds, property } from "../support/property.ts";
import { bodies } from "../support/generated_bodies.ts";
import { keys, texts, wires } from "../support/generated_wire.ts";

const CONTEXT = { operation: "vm.info", socketPath: "/run/api.sock" } as const;
const rows = Object.values(operations);

const exact = (n: bigint): number | bigint =>
  Number.isSafeInteger(Number(n)) ? Number(n) : n;

test("decode() and encode() keep what serde writes", () =>
  holds(property(wires(exact), ({ text, value }) => {
    const decoded = parse(text);
    assert.deepStrictEqual(decoded, value);
    assert.deepStrictEqual(parse(stringify(decoded)!), value);
  })));

test("encode() writes what decode() read digit by digit", () =>
  holds(property(wires(exact), ({ text }) => {
    const numbers = (json: string): string[] =>
      json.replaceAll(/"(\\.|[^"\\])*"/g, '""').match(/-?\d+/g) ?? [];
    // Keys that are integers come first in an object, so the order may differ.
    assert.deepEqual(
      numbers(stringify(parse(text))!).sort(),
      numbers(text).sort(),
    );
  })));

test("decodeBigints() makes each integer a bigint", () =>
  holds(property(wires((n) => n), ({ text, value }) => {
    assert.deepStrictEqual(parseBigints(text), value);
  })));

test("a body reaches the wire as it is, or is refused before", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    await holds(
      asyncProperty(bodies, async ({ body, wire, wrong }) => {
        const before = server.requests.length;
        try {
          await vm.create(body as never);
        } catch (error) {
          assert.ok(error instanceof InvalidRequestError, `${error}`);
          assert.equal(error.code, "invalid_request");
          assert.equal(server.requests.length, before);
          assert.notEqual(wrong, undefined, `${error}`);
          return;
        }
        assert.equal(wrong, undefined);
        assert.equal(server.requests.length, before + 1);
        const sent = bodyOf(server.requests.at(-1)!);
        assert.deepStrictEqual(parseBigints(sent), parseBigints(wire));
      }),
      0.5,
    );
  }));

test("answer() throws nothing but documented errors on any text", () =>
  holds(property(
    fc.constantFrom(...rows),
    fc.oneof(
      fc.integer({ min: 100, max: 999 }),
      fc.constantFrom(200, 204, 400, 500, 503),
    ),
    fc.oneof(
      texts,
      fc.json(),
      wires(exact).map(({ text }) => text),
      fc.tuple(wires(exact), fc.nat()).map(([{ text }, at]) =>
        text.slice(0, at % (text.length + 1))
      ),
      fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
      texts.map((text) => `{ "error": "${text}" }`),
      fc.array(texts).map((list) => JSON.stringify(list)),
    ),
    (row, status, text) => {
      try {
        readResponse(row, status, text, CONTEXT);
        assert.ok(status >= 200 && status <= 299);
      } catch (error) {
        assert.ok(error instanceof CloudHypervisorError, `${error}`);
        const refused = status > 299;
        const kind = refused ? ApiError : ConnectionError;
        assert.ok(error instanceof kind, `${error}`);
        assert.ok(error.message.length < 1500, error.message);
      }
      assert.equal(Object.keys(Object.prototype).length, 0);
    },
  )));

test("a call ends well or with a documented error on any bytes", () => {
  let bytes: Uint8Array = new Uint8Array();
  return serving((socket) => socket.end(bytes), async (server) => {
    const { vm } = createClient(server.path);
    const start = fc.constantFrom(
      "",
      "HTTP/1.1 ",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 404 \r\nContent-Length: 9\r\n\r\n",
    );
    await holds(
      asyncProperty(
        start,
        fc.uint8Array({ maxLength: 200 }),
        async (head, tail) => {
          bytes = Uint8Array.from([...new TextEncoder().encode(head), ...tail]);
          const before = server.requests.length;
          try {
            await vm.addDisk({ path: "/a" });
          } catch (error) {
            assert.ok(error instanceof CloudHypervisorError, `${error}`);
          }
          assert.equal(server.requests.length, before + 1);
        },
      ),
      0.5,
    );
  });
});

/** The events of bytes that come in pieces of some sizes. */
async function eventsOf(
  bytes: Uint8Array,
  sizes: readonly number[],
): Promise<VmmEvent[]> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length] ?? bytes.length;
      yield bytes.slice(at, at + size);
      at += size;
    }
  }
  return await Array.fromAsync(readEvents(pieces()));
}

/** A record as the monitor writes it, with a blank line after it. */
const records = fc.record({
  timestamp: fc.record({
    secs: fc.nat(),
    nanos: fc.nat(999_999_999),
  }),
  source: fc.constantFrom("vm", "vmm", "virtio-device", "guest", "none"),
  event: fc.constantFrom("booted", "activated", "panic", "none"),
  properties: fc.option(fc.dictionary(keys, texts, { noNullPrototype: true })),
}).map((event) => `${JSON.stringify(event, null, 2)}\n\n`);

test("readEvents() reads the same, however the bytes are cut", () =>
  holds(
    asyncProperty(
      fc.array(records, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (list, sizes) => {
        const bytes = new TextEncoder().encode(list.join(""));
        const whole = await eventsOf(bytes, []);
        assert.equal(whole.length, list.length);
        assert.ok(whole.every(({ event }) => event !== "unreadable"));
        assert.deepEqual(await eventsOf(bytes, sizes), whole);
      },
    ),
    0.3,
  ));

test("readEvents() takes any bytes, and goes on after them", () =>
  holds(
    asyncProperty(
      fc.array(fc.oneof(
        fc.uint8Array(),
        records.map((text) => new TextEncoder().encode(text)),
        fc.constantFrom("\n\n", "{", "}\n\n", '{"a":', "\0").map((text) =>
          new TextEncoder().encode(text)
        ),
      )),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (parts, sizes) => {
        const last = new TextEncoder().encode(
          '\n\n{"timestamp":{"secs":1,"nanos":2},"source":"vm",' +
            '"event":"paused","properties":null}\n\n',
        );
        const bytes = Uint8Array.from(
          [...parts, last].flatMap((part) => [...part]),
        );
        const events = await eventsOf(bytes, sizes);
        assert.deepEqual(events, await eventsOf(bytes, []));
        assert.equal(events.at(-1)?.event, "paused");
      },
    ),
    0.3,
  ));
