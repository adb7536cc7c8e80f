/** Reads JSON as serde_json does, with the same errors and places of errors. */
import type { Buffer } from "node:buffer";
import { toFloat } from "./float.ts";
import { type Scalar, SerdeError } from "./scalar.ts";

const DEPTH = 128;

/** A cursor over the bytes of a body. */
export class Reader {
  readonly #bytes: Buffer;
  /** One character a byte, so that columns count bytes. */
  readonly #text: string;
  #at = 0;
  #depth = DEPTH;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#text = bytes.toString("latin1");
  }

  /** The next byte that is no space; empty at the end. */
  peek(): string {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.charAt(this.#at);
  }

  /** As `peek`, where the end is a failure. */
  need(what = "a value"): string {
    const next = this.peek();
    if (next === "") throw this.atNext(`EOF while parsing ${what}`);
    return next;
  }

  skip(): void {
    this.#at++;
  }

  /** A failure at the last byte that was read. */
  at(message: string): SerdeError {
    return this.#placed(message, this.#at);
  }

  /** A failure at the next byte. */
  atNext(message: string): SerdeError {
    return this.#placed(message, Math.min(this.#text.length, this.#at + 1));
  }

  /** Gives a failure its place, unless it has one. */
  place(error: unknown): unknown {
    return error instanceof SerdeError && !error.placed
      ? this.at(error.message)
      : error;
  }

  #placed(message: string, index: number): SerdeError {
    const before = this.#text.slice(0, index);
    const start = before.lastIndexOf("\n") + 1;
    const line = before.split("\n").length;
    return new SerdeError(
      `${message} at line ${line} column ${index - start}`,
      true,
    );
  }

  /** Reads what stands between brackets, one level deeper. */
  nested<T>(read: () => T): T {
    if (--this.#depth === 0) throw this.atNext("recursion limit exceeded");
    try {
      return read();
    } finally {
      this.#depth++;
    }
  }

  /** Goes to the next element, or says that there is none. */
  element(first: boolean): boolean {
    const next = this.need("a list");
    if (next === "]") return false;
    if (first) return true;
    if (next !== ",") throw this.atNext("expected `,` or `]`");
    this.skip();
    if (this.need() === "]") throw this.atNext("trailing comma");
    return true;
  }

  /** Reads the next key and its colon, or says that there is none. */
  key(first: boolean): string | undefined {
    let next = this.need("an object");
    if (next === "}") return undefined;
    if (!first) {
      if (next !== ",") throw this.atNext("expected `,` or `}`");
      this.skip();
      next = this.need();
      if (next === "}") throw this.atNext("trailing comma");
    }
    if (next !== '"') throw this.atNext("key must be a string");
    return this.string();
  }

  colon(): void {
    if (this.need("an object") !== ":") throw this.atNext("expected `:`");
    this.skip();
  }

  /** Closes a list or an object, if its end is next. */
  close(bracket: "]" | "}"): void {
    if (this.peek() === bracket) this.skip();
  }

  /** Fails where anything but space is left. */
  end(): void {
    if (this.peek() !== "") throw this.atNext("trailing characters");
  }

  /** Reads a word, a number or a string. */
  scalar(): Scalar {
    const next = this.need();
    switch (next) {
      case "n":
        return this.#word("null", { kind: "null", value: null });
      case "t":
        return this.#word("true", { kind: "boolean", value: true });
      case "f":
        return this.#word("false", { kind: "boolean", value: false });
      case '"':
        return { kind: "string", value: this.string() };
    }
    if (next === "-" || isDigit(next)) return this.#number();
    throw this.atNext("expected value");
  }

  #word(word: string, scalar: Scalar): Scalar {
    for (const letter of word) {
      const next = this.#text.charAt(this.#at);
      if (next === "") throw this.at("EOF while parsing a value");
      this.#at++;
      if (next !== letter) throw this.at("expected ident");
    }
    return scalar;
  }

  #number(): Scalar {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text)!;
    const [text, whole, fraction, exponent] = match;
    const end = this.#at + text.length;
    const broken = whole === "" || /^0\d/.test(whole!) || fraction === "." ||
      exponent !== undefined && !/\d/.test(exponent);
    if (broken) {
      this.#at = /^0\d/.test(whole!) ? this.#at + text.indexOf("0") + 1 : end;
      if (this.#at >= this.#text.length) {
        throw this.at("EOF while parsing a value");
      }
      throw this.atNext("invalid number");
    }
    this.#at = end;
    const plain = fraction === undefined && exponent === undefined;
    const exact = plain ? BigInt(text) : undefined;
    const fits = exact !== undefined && exact >= -(2n ** 63n) &&
      exact < 2n ** 64n && text !== "-0";
    if (!fits) {
      const value = toFloat(text);
      if (!Number.isFinite(value)) throw this.at("number out of range");
      return { kind: "float", value };
    }
    const number = Number(text);
    return {
      kind: "integer",
      value: Number.isSafeInteger(number) ? number : exact,
    };
  }

  /** Reads a string from its opening quote on. */
  string(): string {
    const start = this.#at++;
    for (;; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw this.at("EOF while parsing a string");
      if (code === QUOTE) break;
      if (code === BACKSLASH) this.#escape();
      else if (code < 0x20) {
        this.#at++;
        throw this.at(
          "control character (\\u0000-\\u001F) found while parsing a string",
        );
      }
    }
    this.#at++;
    try {
      const text = strict.decode(this.#bytes.subarray(start, this.#at));
      return JSON.parse(text) as string;
    } catch {
      throw this.at("invalid unicode code point");
    }
  }

  #escape(): void {
    const letter = this.#text.charAt(++this.#at);
    if (letter === "") throw this.at("EOF while parsing a string");
    if (letter !== "u") {
      if ('"\\/bfnrt'.includes(letter)) return;
      this.#at++;
      throw this.at("invalid escape");
    }
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (digits.length < 4) {
      this.#at = this.#text.length;
      throw this.at("EOF while parsing a string");
    }
    this.#at += 4;
    if (!/^[\da-fA-F]{4}$/.test(digits)) {
      this.#at++;
      throw this.at("invalid escape");
    }
    const code = parseInt(digits, 16);
    const next = this.#text.slice(this.#at + 1, this.#at + 7);
    if (code >= 0xdc00 && code < 0xe000) {
      this.#at++;
      throw this.at("lone leading surrogate in hex escape");
    }
    if (code < 0xd800 || code > 0xdbff) return;
    if (!/^\\u[dD][c-fC-F]/.test(next)) {
      this.#at += 2;
      throw this.at("unexpected end of hex escape");
    }
    this.#at += 6;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(\d*)(\.\d*)?([eE][+-]?\d*)?/y;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(letter: string): boolean {
  return letter >= "0" && letter <= "9";
}
