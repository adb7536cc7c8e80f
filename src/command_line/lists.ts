/** Lists in the program's own forms: ranges, pairs and texts. */
import { splitAtCommas } from "./quotes.ts";
import { type Reader, reader } from "./reader.ts";
import { exactUnsigned } from "./values.ts";

const NUMBERS = "numbers and ranges such as [0,2-4]";

/** A range of more numbers than this is taken for a mistake. */
const LONGEST = 1 << 20;

/** `[0,2-4]` or `0,2-4`: numbers, each of which has to fit so many bits. */
export function integers(bits: number): Reader<number[]> {
  return reader(NUMBERS, (value) => {
    const all = numbersIn(value);
    const fit = all?.every((n) => n === BigInt.asUintN(bits, n));
    return fit ? all!.map(Number) : undefined;
  });
}

/** As {@linkcode integers}, where the program drops the bits above. */
export function truncatedIntegers(
  truncate: (n: bigint) => number,
): Reader<number[]> {
  return reader(NUMBERS, (value) => numbersIn(value)?.map(truncate));
}

/** The lower bits of a number. */
export function lowerBits(bits: number): (n: bigint) => number {
  return (n) => Number(BigInt.asUintN(bits, n));
}

/** The lower 32 bits of a number, with a sign: a file descriptor. */
export function toDescriptor(n: bigint): number {
  return Number(BigInt.asIntN(32, n));
}

/** A number of so many bits in a pair, where quotes are not allowed. */
export function integer(bits: number): Reader<bigint> {
  return reader(
    `a number of ${bits} bits`,
    (value) => exactUnsigned(value, bits),
  );
}

/** `[a,b]` or `a,b`: texts, which keep their quotes. */
export const texts: Reader<string[]> = reader(
  "a list such as [a,b]",
  (value) => splitAtCommas(withoutBrackets(value)),
);

/** `[1@20,2@25]` or `[0@[0-1],1@[2]]`: pairs in one pair of brackets. */
export function pairs<A, B>(
  readFirst: Reader<A>,
  readSecond: Reader<B>,
): Reader<[first: A, second: B][]> {
  return reader("pairs such as [0@1] or [0@[0-1],1@[2]]", (value, program) => {
    const body = /^\[([^]*)\]$/.exec(value.trim())?.[1];
    const parts = body === undefined ? undefined : splitAtCommas(body);
    if (parts === undefined) return undefined;
    // Later releases allow blanks around a pair, and no empty first part.
    const later = program.knowsSince("v54.0");
    const read: [A, B][] = [];
    for (const part of parts) {
      const [first = "", second, ...more] = splitAtSigns(
        later ? part.trim() : part,
      );
      if (second === undefined || more.length > 0) return undefined;
      if (later && first === "") return undefined;
      const one = readFirst(first, program);
      const two = readSecond(second, program);
      if (one === undefined || two === undefined) return undefined;
      read.push([one, two]);
    }
    return read;
  });
}

function numbersIn(value: string): bigint[] | undefined {
  const numbers: bigint[] = [];
  for (const part of withoutBrackets(value).split(",")) {
    const ends = part.split("-").map((end) => exactUnsigned(end, 64));
    const [first] = ends;
    const last = ends.at(-1);
    if (first === undefined || last === undefined) return undefined;
    // A range has two different ends, and names the lower one first.
    if (ends.length > 2 || (ends.length === 2 && first >= last)) {
      return undefined;
    }
    if (last - first >= LONGEST) return undefined;
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return numbers;
}

/** The parts between `@` that stand in no quotes. */
function splitAtSigns(text: string): string[] {
  const parts = [""];
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (char === "@" && !quoted) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function withoutBrackets(value: string): string {
  return value.trim().replace(/^[[\]]+/, "").replace(/[[\]]+$/, "");
}
