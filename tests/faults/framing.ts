/** The end of a response: by its length, or by its chunks. */
import type { Case } from "./case.ts";
import {
  AFTER,
  ANSWER,
  BODY,
  both,
  type But,
  ended,
  HEX,
  http,
  kept,
  N,
} from "./rows.ts";

const length = (text: string): string => http([`Content-Length: ${text}`]);

/** A chunk that is none is a failure to read the body, and no more, to them. */
const UNREAD: But = {
  deno: ["closed", "its error names no cause"],
  bun: ["closed", "its error names no cause"],
};

const lengths: readonly Case[] = [
  ...both("a right length", ANSWER, "right"),
  kept("a length one too large", length(`${N + 1}`), "deadline"),
  ended("a length one too large", length(`${N + 1}`), "closed"),
  ended("a length far too large", length(`${50 << 20}`), "closed"),
  ended("a length over the bound", length(`${65 << 20}`), "closed"),
  ended("a length of 2^40", length(`${2 ** 40}`), "closed"),
  kept("a length of 2^40", length(`${2 ** 40}`), "deadline"),
  ...both("a length one too small", length(`${N - 1}`), "not_http"),
  ...both("a length of 1", length("1"), "not_http"),
  ...both("a length of 2^64", length("18446744073709551616"), "not_http"),
  ...both("a length of 40 digits", length("9".repeat(40)), "not_http"),
  ...both("a negative length", length(`-${N}`), "not_http"),
  ...both("a length with a plus", length(`+${N}`), "not_http"),
  ...both("a length in hex", length(`0x${HEX}`), "not_http"),
  ...both("a length with a fraction", length(`${N}.0`), "not_http"),
  ...both("a length of letters", length("many"), "not_http"),
  ...both("an empty length", length(""), "not_http"),
  ...both("a length with zeros before it", length(`000${N}`), "right"),
  ...both("a length with spaces around it", length(`  ${N}  `), "right"),
  ...both("a list of lengths", length(`${N}, ${N + 1}`), "not_http"),
  ...both(
    "two lengths that differ",
    http([`Content-Length: ${N}`, `Content-Length: ${N - 1}`]),
    "not_http",
  ),
  ...both(
    "the same length twice",
    http([`Content-Length: ${N}`, `Content-Length: ${N}`]),
    "right",
    { node: ["not_http", "llhttp takes one length"] },
  ),
  ended("no length", http([]), "right"),
  kept("no length", http([]), "deadline"),
  ended("no length and no header", `HTTP/1.1 200 OK\r\n\r\n${BODY}`, "right"),
  ended("no length and half a body", http([], BODY.slice(0, -5)), "not_http"),
];

const chunks = (
  text: string,
  more: readonly string[] = [],
): string => http(["Transfer-Encoding: chunked", ...more], text);

const chunked: readonly Case[] = [
  ...both("a chunk", chunks(`${HEX}\r\n${BODY}\r\n0\r\n\r\n`), "right"),
  ...both(
    "two chunks",
    chunks(
      `1\r\n{\r\n${(N - 1).toString(16)}\r\n${BODY.slice(1)}\r\n0\r\n\r\n`,
    ),
    "right",
  ),
  ...both(
    "upper case",
    chunks(`${HEX.toUpperCase()}\r\n${BODY}\r\n0\r\n\r\n`),
    "right",
  ),
  ...both(
    "zeros before a size",
    chunks(`000${HEX}\r\n${BODY}\r\n0\r\n\r\n`),
    "right",
  ),
  ...both(
    "an extension",
    chunks(`${HEX};a=b\r\n${BODY}\r\n0\r\n\r\n`),
    "right",
  ),
  ...both(
    "a trailer",
    chunks(`${HEX}\r\n${BODY}\r\n0\r\nX: y\r\n\r\n`),
    "right",
  ),
  ...both(
    "chunks and more after them",
    chunks(`${HEX}\r\n${BODY}\r\n0\r\n\r\nmore`),
    "right",
    AFTER,
  ),
  ...both("chunks and none of them", chunks("0\r\n\r\n"), "right").map((
    row,
  ) => ({
    ...row,
    value: undefined,
  })),
  ended("a chunk and no last one", chunks(`${HEX}\r\n${BODY}\r\n`), "closed"),
  kept("a chunk and no last one", chunks(`${HEX}\r\n${BODY}\r\n`), "deadline"),
  ...both(
    "a size of letters",
    chunks(`zz\r\n${BODY}\r\n0\r\n\r\n`),
    "not_http",
    UNREAD,
  ),
  ...both(
    "a size that is negative",
    chunks(`-1\r\n${BODY}\r\n0\r\n\r\n`),
    "not_http",
    UNREAD,
  ),
  ...both("no size", chunks(`\r\n${BODY}\r\n0\r\n\r\n`), "not_http", UNREAD),
  ...both(
    "a size of 2^64",
    chunks(`10000000000000000\r\n${BODY}`),
    "not_http",
    UNREAD,
  ),
  ...both(
    "a size that is too small",
    chunks(`${(N - 1).toString(16)}\r\n${BODY}\r\n0\r\n\r\n`),
    "not_http",
    UNREAD,
  ),
  ...both("chunks that are none", chunks(BODY), "not_http", UNREAD),
  ...both(
    "chunks and a length",
    chunks(`${HEX}\r\n${BODY}\r\n0\r\n\r\n`, [`Content-Length: ${N}`]),
    "right",
    { node: ["not_http", "llhttp takes it for smuggling"] },
  ),
];

export const framing: readonly Case[] = [...lengths, ...chunked];
