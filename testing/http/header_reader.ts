/** Reads the headers that micro_http knows, and refuses what it refuses. */
import type { Buffer } from "node:buffer";

/** A request that micro_http cannot parse. The message is the response. */
export class ParseError extends Error {}

/** The headers of one request. */
export class HeaderReader {
  contentLength = 0;
  /** True if the client waits for a response with status 100. */
  expect = false;

  /** Reads one line without its line end. */
  add(line: Buffer): void {
    const text = line.toString("utf8");
    const broken = text.includes("\ufffd") ? invalidUtf8(line) : undefined;
    if (broken) refuse(`Header contains invalid characters. Key: ${broken}`);
    const colon = text.indexOf(":");
    if (colon < 0) refuse(`Header is incorrectly formatted. Key: ${text}`);
    const name = text.slice(0, colon);
    const value = text.slice(colon + 1);
    readers[name.trim().toLowerCase()]?.(this, name, value);
  }
}

type Reader = (headers: HeaderReader, name: string, value: string) => void;

const readers: { readonly [name: string]: Reader | undefined } = {
  // deno-lint-ignore no-explicit-any -- no prototype: names come from the client
  __proto__: null as any,
  "content-length": (headers, name, value) => {
    const length = /^\+?\d+$/.test(value.trim()) ? Number(value) : Infinity;
    if (length > 0xffff_ffff) invalid(name, value);
    headers.contentLength = length;
  },
  "expect": (headers, _, value) => {
    if (value.trim() === "100-continue") headers.expect = true;
  },
  "accept-encoding": (_, __, value) => {
    if (value.trim() === "") throw new ParseError("Invalid request.");
    for (const encoding of value.trim().split(",")) {
      const name = encoding.trim();
      const banned = name === "identity;q=0" ||
        name === "*;q=0" && !value.includes("identity");
      if (banned) invalid("Accept-Encoding", encoding);
    }
  },
};

function invalid(name: string, value: string): never {
  refuse(`Invalid value. Key:${name}; Value:${value}`);
}

function refuse(reason: string): never {
  throw new ParseError(`Invalid header. Reason: ${reason}`);
}

/** Describes the first invalid UTF-8 of a line in the words of Rust. */
function invalidUtf8(line: Buffer): string | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let end = 1; end <= line.length; end++) {
    const stream = end < line.length;
    try {
      decoder.decode(line.subarray(end - 1, end), { stream });
    } catch {
      return stream
        ? `invalid utf-8 sequence of 1 bytes from index ${end - 1}`
        : `incomplete utf-8 byte sequence from index ${end - 1}`;
    }
  }
  return undefined;
}
