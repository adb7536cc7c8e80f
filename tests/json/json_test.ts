import assert from "node:assert/strict";
import { test } from "node:test";
import * as entry from "../../src/json/mod.ts";
import {
  InexactValueError,
  parse,
  parseBigints,
  stringify,
} from "../../src/json/json.ts";

const MAX = 18446744073709551615n;

test("decode() keeps every digit of a 64-bit integer", () => {
  assert.deepEqual(
    parse(
      `{"a":${MAX},"b":[9007199254740991,9007199254740993,-9007199254740993,7]}`,
    ),
    { a: MAX, b: [9007199254740991, 9007199254740993n, -9007199254740993n, 7] },
  );
});

test("decode() finds a long integer wherever it stands", () => {
  for (let before = 0; before < 40; before++) {
    for (const integer of [2n ** 53n, 10n ** 17n, MAX]) {
      const text = `[${" ".repeat(before)}${integer}]`;
      assert.deepEqual(parse(text), [integer], text);
    }
  }
});

test("decode() takes no digits out of a string", () => {
  const text = `{"id":"${MAX}","n":1}`;
  assert.deepEqual(parse(text), { id: `${MAX}`, n: 1 });
});

test("decode() leaves fractions and exponents as numbers", () => {
  assert.deepEqual(parse("[1234567890123456.5, 1e300]"), [
    1234567890123456.5,
    1e300,
  ]);
});

test("decode() makes a __proto__ key a plain property", () => {
  const value = parse(`{"__proto__":{"polluted":1},"n":${MAX}}`) as object;
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.ok(Object.hasOwn(value, "__proto__"));
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test("decodeBigints() makes every number a bigint", () => {
  assert.deepEqual(parseBigints(`{"_disk0":{"a":0,"b":512,"c":${MAX}}}`), {
    _disk0: { a: 0n, b: 512n, c: MAX },
  });
});

test("encode() writes bigints unquoted and exact", () => {
  assert.equal(
    stringify({ size: 2n ** 53n + 1n, max: MAX, n: 512, s: "1", u: undefined }),
    `{"size":9007199254740993,"max":${MAX},"n":512,"s":"1"}`,
  );
});

test("encode() refuses a number that is no safe integer, and says where", () => {
  for (const value of [2 ** 53 + 2, 1.5, NaN, Infinity, -(2 ** 53)]) {
    assert.throws(
      () => stringify({ disks: [{}, { rate: { size: value } }] }),
      (error) =>
        error instanceof InexactValueError &&
        error.path === "disks[1].rate.size",
      String(value),
    );
  }
  assert.throws(() => stringify({ size: 0.5 }), { path: "size" });
});

test("encode() refuses half of a surrogate pair, and says where", () => {
  for (const half of ["\ud800", "a\udc00b"]) {
    assert.throws(() => stringify({ disks: [{ path: half }] }), {
      path: "disks[0].path",
    });
    assert.throws(() => stringify({ [half]: 1 }), /a lone surrogate/);
  }
  assert.equal(stringify({ a: "\u{1f4be}" }), '{"a":"\u{1f4be}"}');
});

test("encode() and decode() are inverse on what the VMM takes", () => {
  const value = { a: [1, MAX, -1], b: { c: null, d: "x\u2028\n", e: true } };
  assert.deepEqual(parse(stringify(value)!), value);
});

test("./json keeps what vm.counters() returns", () => {
  const counters = { _disk0: { read_bytes: 0n, latency: 2n ** 64n - 1n } };
  const text = entry.stringify(counters);
  assert.equal(
    text,
    '{"_disk0":{"read_bytes":0,"latency":18446744073709551615}}',
  );
  assert.deepEqual(entry.parse(text), {
    _disk0: { read_bytes: 0, latency: 2n ** 64n - 1n },
  });
  assert.throws(() => entry.stringify({ size: 1.5 }), entry.InexactValueError);
  assert.throws(() => entry.stringify(undefined), TypeError);
});

test("bytes() gives a number to compute with, or throws", () => {
  assert.equal(entry.bytes(2n ** 30n) / 2 ** 20, 1024);
  assert.equal(entry.bytes(4096), 4096);
  assert.equal(entry.bytes(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER);
  for (const size of [2n ** 53n, 2n ** 64n - 1n, 0.5, NaN]) {
    assert.throws(() => entry.bytes(size), RangeError);
  }
});
