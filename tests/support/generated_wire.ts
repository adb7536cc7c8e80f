/** JSON as serde writes it, with the value that it stands for. */
import fc, { type Arbitrary } from "fast-check";

export interface Wire {
  readonly text: string;
  readonly value: unknown;
}

const MAX_U64 = 2n ** 64n - 1n;
const MIN_I64 = -(2n ** 63n);

/** Integers of 64 bits, with those beside 2^53 more often than they would be. */
const integers: Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: MIN_I64, max: MAX_U64 }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.integer({ min: -3, max: 3 }).map((by) => 2n ** 53n + BigInt(by)),
  fc.integer({ min: -3, max: 3 }).map((by) => -(2n ** 53n) + BigInt(by)),
  fc.constantFrom(MAX_U64, MIN_I64, 2n ** 63n, 10n ** 15n, 10n ** 16n),
);

/** Text with what could be taken for a number, a key or an escape. */
export const texts: Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  integers.map(String),
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toJSON",
    '"',
    "\\",
    "\u2028",
  ),
  integers.map((n) => `":${n},"\\`),
);

/**
 * Keys that need no escape: V8 15.0 and before can take the key `"\\""` for
 * another one, `"\\\\"`, that it met beside the same integer key.
 */
export const keys: Arbitrary<string> = texts.filter((text) =>
  JSON.stringify(text) === `"${text}"`
);

/** Any value of the VMM's, an integer as `asInteger` has it. */
export function wires(asInteger: (n: bigint) => unknown): Arbitrary<Wire> {
  const { tree } = fc.letrec<{ tree: Wire; leaf: Wire }>((tie) => ({
    leaf: fc.oneof(
      integers.map((n) => ({ text: `${n}`, value: asInteger(n) })),
      texts.map((text) => ({ text: JSON.stringify(text), value: text })),
      fc.constantFrom(true, false, null).map((value) => ({
        text: `${value}`,
        value,
      })),
    ),
    tree: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("leaf"),
      fc.array(tie("tree"), { maxLength: 6 }).map(list),
      fc.uniqueArray(fc.tuple(keys, tie("tree")), {
        maxLength: 6,
        selector: ([key]) => key,
      }).map(object),
    ),
  }));
  return tree;
}

function list(items: Wire[]): Wire {
  return {
    text: `[${items.map(({ text }) => text).join(",")}]`,
    value: items.map(({ value }) => value),
  };
}

function object(entries: [string, Wire][]): Wire {
  const value = {};
  for (const [key, item] of entries) {
    // An assignment to __proto__ would make it the prototype.
    Object.defineProperty(value, key, {
      value: item.value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  const text = entries.map(([key, item]) =>
    `${JSON.stringify(key)}:${item.text}`
  );
  return { text: `{${text.join(",")}}`, value };
}
