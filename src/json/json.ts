/**
 * JSON as the VMM writes and reads it: 64-bit integers are exact in both
 * directions.
 */

import { pathOf, type Step } from "./path.ts";

/** Reads JSON; an integer beyond 2^53 becomes a bigint. */
export function parse(text: string): unknown {
  // No 16 digits in a row means no integer beyond 2^53, and no need of the
  // reviver, which costs several times the parse.
  return hasLongRun(text) ? parseWith(text, exact) : JSON.parse(text);
}

/** Reads JSON; every number becomes a bigint, however small. */
export function parseBigints(text: string): unknown {
  return parseWith(text, always);
}

/**
 * Writes JSON; a bigint becomes a plain number.
 *
 * @throws {InexactValueError} at a `number` that is not a safe integer, and at
 * a lone surrogate, which the VMM cannot read.
 */
export function stringify(value: unknown): string | undefined {
  return JSON.stringify(value, function (key, item) {
    if (typeof item === "bigint") return json.rawJSON(item.toString());
    if (typeof item === "number" && !Number.isSafeInteger(item)) {
      const what = `is ${item}, which is not a safe integer`;
      throw new InexactValueError(pathTo(value, this, key), what);
    }
    const torn = typeof item === "string" && !item.isWellFormed();
    if (torn || !key.isWellFormed()) {
      const what = "contains a lone surrogate";
      throw new InexactValueError(pathTo(value, this, key), what);
    }
    return item;
  });
}

/** A value that would not reach the VMM as it was given. */
export class InexactValueError extends Error {
  /** The path of the value, such as `memory.size` or `disks[0].num_queues`. */
  readonly path: string;

  /**
   * Words the message from the path.
   *
   * @internal
   */
  constructor(path: string, what: string) {
    super(`${path} ${what}`);
    this.path = path;
  }
}

type Reviver = (
  key: string,
  value: unknown,
  at: { source?: string },
) => unknown;

// Both are in every runtime that is supported, not yet in every `lib`.
const json = JSON as unknown as { rawJSON(text: string): unknown };
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * Returns true if the text has 16 digits in a row. Such a run covers an index
 * that 16 divides, so only those are checked; a regular expression checks all,
 * which takes V8 half as long as the parse.
 */
function hasLongRun(text: string): boolean {
  for (let at = 0; at < text.length; at += RUN) {
    if (!isDigit(text, at)) continue;
    let start = at;
    let end = at + 1;
    while (isDigit(text, start - 1)) start--;
    while (isDigit(text, end)) end++;
    if (end - start >= RUN) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

const RUN = 16;
const ZERO = 0x30;
const NINE = 0x39;
const INTEGER = /^-?\d+$/;

const exact: Reviver = (_, value, { source }) =>
  typeof value === "number" && !Number.isSafeInteger(value) &&
    INTEGER.test(source!)
    ? BigInt(source!)
    : value;

const always: Reviver = (_, value, { source }) =>
  typeof value === "number" && INTEGER.test(source!) ? BigInt(source!) : value;

/** The path of `key` of `holder` in `root`; searched only after a failure. */
export function pathTo(root: unknown, holder: unknown, key: string): string {
  const walk = (node: unknown, steps: readonly Step[]): string | undefined => {
    if (typeof node !== "object" || node === null) return undefined;
    const step = (name: string) => Array.isArray(node) ? Number(name) : name;
    if (node === holder) return pathOf([...steps, step(key)]);
    for (const [name, child] of Object.entries(node)) {
      const found = walk(child, [...steps, step(name)]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(root, []) ?? key;
}
