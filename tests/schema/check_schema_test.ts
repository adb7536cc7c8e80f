/** The walker of schemas, held to Ajv. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import fc, { type Arbitrary } from "fast-check";
import { requests } from "../../src/generated/requests.gen.ts";
import type { JsonSchema } from "../../src/generated_support/json_schema.ts";
import { schemas } from "../../src/generated/schemas.gen.ts";
import { checkSchema } from "../../src/schema/check_schema.ts";
import { resolve, resolveName } from "../../src/schema/resolve.ts";
import { type RequestName, validate } from "../../src/schema/mod.ts";
import { property } from "../support/property.ts";
import { seed } from "../support/random.ts";
import { releaseNames } from "../../testing/release.ts";
import { oracle } from "../support/schema_oracle.ts";

/** At least so many bodies, in whatever environment. */
const BODIES = 10_000;

/** At least so many bodies for each older release. */
const OLDER_BODIES = 1000;

/** Values of every type, most of them wrong at most places. */
const anything: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, 0, -1, 1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 64, -0],
    ...[1n, -1n, 2n ** 64n - 1n, 2n ** 64n, "", "Raw", "x", "🙂"],
    ...[[], {}, [null], [1n], { bogus: 1 }, { path: "/a" }],
    ...["__proto__", "constructor", "~0/1", "a.b", 'q"'],
  ),
  fc.string({ maxLength: 30 }),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
);

/** Values that mostly match a schema. */
function like(schema: JsonSchema): Arbitrary<unknown> {
  const arbitrary = matching(resolve(schema).schema);
  return fc.oneof(
    { weight: 60, arbitrary },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

const memo = new Map<JsonSchema, Arbitrary<unknown>>();

function matching(schema: JsonSchema): Arbitrary<unknown> {
  let arbitrary = memo.get(schema);
  if (arbitrary === undefined) {
    memo.set(schema, arbitrary = matchingNew(schema));
  }
  return arbitrary;
}

function matchingNew(schema: JsonSchema): Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch ([schema.type].flat().find((type) => type !== "null")) {
    case "array":
      return fc.array(like(schema.items!), { maxLength: 2 });
    case "boolean":
      return fc.boolean();
    case "integer": {
      const { minimum = 0, maximum = 0 } = schema;
      const [low, high] = [BigInt(minimum), BigInt(maximum)];
      return fc.oneof(
        fc.integer({ min: -1, max: 5 }),
        fc.bigInt({ min: low - 1n, max: high + 1n }),
        fc.constantFrom(low, high, minimum, maximum),
      );
    }
    case "object":
      return object(schema);
  }
  const { minLength = schema.maxLength, maxLength = minLength } = schema;
  if (minLength === undefined) return fc.string({ maxLength: 25 });
  return fc.tuple(
    fc.constantFrom(minLength - 1, minLength, maxLength!, maxLength! + 1),
    fc.constantFrom("x", "🙂"),
  ).map(([length, character]) => character.repeat(length));
}

function object(
  { properties = {}, required = [] }: JsonSchema,
): Arbitrary<unknown> {
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, like(member)]),
  );
  const names = Object.keys(members);
  const maxLength = Math.min(names.length, 6);
  const whole = fc.subarray(names, { maxLength }).chain((chosen) => {
    const keys = [...new Set([...chosen, ...required])];
    return fc.record(
      Object.fromEntries(keys.map((key) => [key, members[key]!])),
    );
  });
  const extra = fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom("bogus", "a/b", "c~d", "toString", "__proto__", "e.f"),
        anything,
        { maxKeys: 2 },
      ),
    },
  );
  const without = fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...required, "none") },
  );
  return fc.tuple(whole, extra, without).map(([base, more, missing]) => {
    const value = Object.assign(Object.create(null), base);
    for (const [key, item] of Object.entries(more)) value[key] = item;
    if (missing !== undefined) delete value[missing];
    return value;
  });
}

/** A JSON pointer in the form of a problem's path. */
function pathOf(pointer: string, body: unknown): string {
  let value = body;
  let path = "";
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) path += `[${key}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(key)) {
      path += `[${JSON.stringify(key)}]`;
    } else path += path === "" ? key : `.${key}`;
    value = (value as Record<string, unknown>)?.[key];
  }
  return path;
}

const names = [...new Set(Object.values(requests))] as string[];

/** A request of any of the operations, weighted to the largest one. */
function bodies(of: readonly string[]) {
  return fc.oneof(
    ...names.filter((name) => of.includes(name)).map((name) => ({
      weight: name === "VmConfig" ? 40 : 2,
      arbitrary: like(schemas[name]!).map((body) => ({ name, body })),
    })),
  );
}

for (const release of [undefined, ...releaseNames.slice(1)]) {
  const count = release === undefined ? BODIES : OLDER_BODIES;
  const title = `the walker agrees with Ajv on ${count} bodies`;
  test(release === undefined ? title : `${title} for ${release}`, () => {
    const { errors, names } = oracle(release);
    let valid = 0;
    let problems = 0;
    const law = property(bodies(names), ({ name, body }) => {
      const expected = errors(name, body).map((at) => pathOf(at, body)).sort();
      const found = checkSchema(name, body, release)
        .map(({ path }) => path).sort();
      assert.deepEqual(found, expected);
      if (found.length === 0) valid++;
      problems += found.length;
    });
    const numRuns = Math.max(count, Number(process.env["TEST_RUNS"] ?? 0));
    fc.assert(law, { seed, numRuns });
    assert.ok(valid > count / 20, `${valid} valid bodies`);
    assert.ok(problems > count / 2, `${problems} problems`);
  });
}

/** Each place of a request where a value may be. */
function* places(): Generator<[RequestName, (value: unknown) => unknown]> {
  for (const [operation, name] of Object.entries(requests)) {
    yield* placesIn(
      operation as RequestName,
      schemas[name!]!,
      (value) => value,
    );
  }
}

function* placesIn(
  operation: RequestName,
  schema: JsonSchema,
  wrap: (value: unknown) => unknown,
): Generator<[RequestName, (value: unknown) => unknown]> {
  yield [operation, wrap];
  const { schema: target } = resolve(schema);
  if (target.items !== undefined) {
    yield* placesIn(operation, target.items, (value) => wrap([value]));
  }
  for (const [key, member] of Object.entries(target.properties ?? {})) {
    yield* placesIn(operation, member, (value) => wrap({ [key]: value }));
  }
}

/** Values whose conversion to a string or to JSON may throw. */
const hostile: readonly (() => unknown)[] = [
  () => 1n,
  () => Symbol("s"),
  () => Object.create(null),
  () => ({ __proto__: null, toString: 1 }),
  () => [1n],
  () => ({ a: 1n }),
  () => [Symbol("s")],
  () => () => {},
  () => new Date(NaN),
  () => new Map([[1n, 1n]]),
  () => NaN,
  () => "\ud800",
  () => ({
    toJSON() {
      throw new TypeError("no JSON");
    },
  }),
  () => ({
    get path() {
      throw new TypeError("no path");
    },
  }),
  () => null,
];

test("no value at any place makes validate() throw", () => {
  let checked = 0;
  for (const [operation, wrap] of places()) {
    for (const value of hostile) {
      assert.ok(Array.isArray(validate(wrap(value()), operation)));
      checked++;
    }
  }
  assert.ok(checked > 4000, `${checked} values`);
});

test("a bigint in place of an enum is a wrong type", () => {
  for (
    const [body, path] of [
      [{ disks: [{ image_type: 1n }] }, "disks[0].image_type"],
      [{ serial: { mode: 1n } }, "serial.mode"],
    ] as const
  ) {
    assert.deepEqual(validate({ payload: { kernel: "/k" }, ...body }), [
      {
        path,
        code: "wrong_type",
        message: "must be a string, not an integer",
      },
    ]);
  }
});

test("an unknown key is found in a struct that has no keys", () => {
  const body = { payload: { kernel: "/k" }, pvmemcontrol: { bogus: 1 } };
  assert.deepEqual(validate(body), [
    {
      path: "pvmemcontrol.bogus",
      code: "unknown_key",
      message: "PvmemcontrolConfig has no such key",
    },
  ]);
  assert.deepEqual(validate({ ...body, pvmemcontrol: {} }), []);
  for (const name of Object.keys(schemas)) {
    const { schema } = resolveName(name);
    if (schema.type !== "object") continue;
    const found = checkSchema(name, { "\0": 1 })
      .filter(({ code }) => code === "unknown_key");
    assert.deepEqual(found.map(({ path }) => path), ['["\\u0000"]'], name);
  }
});
