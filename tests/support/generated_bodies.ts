/** Bodies as callers make them, with what the VMM has to read. */
import fc, { type Arbitrary } from "fast-check";
import { keys, texts } from "./generated_wire.ts";

export interface Body {
  readonly body: unknown;
  /** The JSON that stands for it. */
  readonly wire: string;
  /** A number that must not be sent. */
  readonly wrong: number | undefined;
}

interface Part {
  readonly value: unknown;
  readonly wire: string;
  readonly wrong?: number;
}

/** Numbers that JSON or a 64-bit integer would change. */
const wrongs: Arbitrary<Part> = fc.oneof(
  fc.constantFrom(NaN, Infinity, -Infinity, 0.5, 2 ** 53, -(2 ** 53), 1e300),
  fc.double({ noInteger: true }),
).map((value) => ({ value, wire: "null", wrong: value }));

const leaves: Arbitrary<Part> = fc.oneof(
  { weight: 30, arbitrary: fc.maxSafeInteger().map(plain) },
  {
    weight: 30,
    arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(plain),
  },
  { weight: 30, arbitrary: texts.map((value) => part(value)) },
  { weight: 20, arbitrary: fc.constantFrom(true, false, null).map(part) },
  { weight: 1, arbitrary: wrongs },
);

const parts: Arbitrary<Part> = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small" },
    leaves,
    fc.array(tie("part"), { maxLength: 5 }).map(list),
    fc.dictionary(keys, tie("part"), { maxKeys: 5, noNullPrototype: true })
      .map((entries) => object(Object.entries(entries))),
  ),
})).part;

/** Bodies that do not look fatal, which the client would refuse. */
export const bodies: Arbitrary<Body> = parts.map(({ value, wire, wrong }) => ({
  body: { x: value },
  wire: `{"x":${wire}}`,
  wrong,
}));

function plain(value: number | bigint): Part {
  return { value, wire: `${value}` };
}

function part(value: unknown): Part {
  return { value, wire: JSON.stringify(value) };
}

function list(items: Part[]): Part {
  return {
    value: items.map(({ value }) => value),
    wire: `[${items.map(({ wire }) => wire).join(",")}]`,
    ...firstWrong(items),
  };
}

function object(entries: [string, Part][]): Part {
  // What is undefined is not sent.
  return {
    value: {
      ...Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
      absent: undefined,
    },
    wire: `{${
      entries.filter(([key]) => key !== "absent")
        .map(([key, { wire }]) => `${JSON.stringify(key)}:${wire}`).join(",")
    }}`,
    ...firstWrong(entries.map(([, item]) => item)),
  };
}

function firstWrong(items: Part[]): { wrong?: number } {
  const found = items.find(({ wrong }) => wrong !== undefined);
  return found?.wrong === undefined ? {} : { wrong: found.wrong };
}
