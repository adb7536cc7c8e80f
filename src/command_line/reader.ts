import type { Program } from "./program.ts";
import { unquote } from "./quotes.ts";

/**
 * Reads a text that is not empty, its quotes and brackets included; undefined
 * if it has not the right form.
 */
export interface Reader<T> {
  (text: string, program: Program): T | undefined;
  /** The right form in words, to follow "must be". */
  readonly expects: string;
}

/** The readers of options by name. */
export type Readers = Readonly<Record<string, Reader<unknown>>>;

/** The values of options; a missing or empty option is absent. */
export type Values<R extends Readers> = {
  -readonly [name in keyof R]?: NonNullable<ReturnType<R[name]>>;
};

export function reader<T>(
  expects: string,
  read: (text: string, program: Program) => T | undefined,
): Reader<T> {
  return Object.assign(read, { expects });
}

/** An option without a value, such as `tty` of `--serial`. */
export const valueless: Reader<true> = reader("nothing", () => true);

/** A text without its quotes: a path, a name or an id. */
export const text: Reader<string> = reader("a text", (value) => unquote(value));
