/** Versions and status lines, and what comes before or after an answer. */
import type { Case } from "./case.ts";
import { AFTER, ANSWER, BODY, both, ended, http, kept, N } from "./rows.ts";

const status = (line: string): string =>
  http([`Content-Length: ${N}`], BODY, line);

const lines: readonly Case[] = [
  ...both("HTTP/1.0", status("HTTP/1.0 200 OK"), "right"),
  ended(
    "HTTP/1.0 without a length",
    http([], BODY, "HTTP/1.0 200 OK"),
    "right",
  ),
  kept(
    "HTTP/1.0 without a length",
    http([], BODY, "HTTP/1.0 200 OK"),
    "deadline",
  ),
  ...both(
    "HTTP/1.0 that is kept alive",
    http(
      ["Connection: keep-alive", `Content-Length: ${N}`],
      BODY,
      "HTTP/1.0 200 OK",
    ),
    "right",
  ),
  ...both("no reason", status("HTTP/1.1 200"), "right"),
  ...both("a space in place of a reason", status("HTTP/1.1 200 "), "right"),
  ...both(
    "a long reason",
    status(`HTTP/1.1 200 ${"ok ".repeat(1000)}`),
    "right",
  ),
  ...both("a reason beyond ASCII", status("HTTP/1.1 200 Störung"), "right"),
  ...both("HTTP/0.9", BODY, "not_http"),
  ...both("HTTP/1.2", status("HTTP/1.2 200 OK"), "not_http", {
    bun: ["right", "every minor version will do"],
  }),
  ...both("HTTP/2", status("HTTP/2 200 OK"), "not_http"),
  ...both("HTTP/2.0", status("HTTP/2.0 200 OK"), "not_http", {
    node: ["right", "llhttp knows the version"],
  }),
  ...both("HTTP/9.9", status("HTTP/9.9 200 OK"), "not_http"),
  ...both("http in lower case", status("http/1.1 200 ok"), "not_http"),
  ...both("another protocol", status("RTSP/1.0 200 OK"), "not_http", {
    node: ["right", "llhttp knows RTSP, too"],
  }),
  ...both("two spaces", status("HTTP/1.1  200 OK"), "not_http", {
    bun: ["right", "it skips the second"],
  }),
  ...both("a status of two digits", status("HTTP/1.1 20 OK"), "not_http"),
  ...both("a status of four digits", status("HTTP/1.1 2000 OK"), "not_http"),
  ...both("a status of letters", status("HTTP/1.1 abc OK"), "not_http"),
  ...both("no status", status("HTTP/1.1"), "not_http"),
  ...both(
    "line feeds alone",
    status("HTTP/1.1 200 OK").replaceAll("\r", ""),
    "right",
    { node: ["not_http", "llhttp wants returns"] },
  ),
  ...both("an empty line before it", `\r\n${ANSWER}`, "right", {
    bun: ["not_http", "picohttpparser skips no line"],
  }),
];

const extra: readonly Case[] = [
  ...both("a line break after it", `${ANSWER}\r\n`, "right"),
  ...both("a byte after it", `${ANSWER}x`, "right", AFTER),
  ...both(
    "garbage after it",
    ANSWER + "\0\x01garbage".repeat(100),
    "right",
    AFTER,
  ),
  ...both("a megabyte after it", ANSWER + "x".repeat(1 << 20), "right", AFTER),
  ...both("an answer after it", ANSWER + status("HTTP/1.1 500 No"), "right"),
  ...both(
    "a body after a 204",
    `HTTP/1.1 204 No Content\r\n\r\n${BODY}`,
    "right",
    AFTER,
  ).map((row) => ({ ...row, value: undefined })),
  ...both(
    "a 204 with a length and a body",
    http([`Content-Length: ${N}`], BODY, "HTTP/1.1 204 No Content"),
    "right",
    AFTER,
  ).map((row) => ({ ...row, value: undefined })),
  ...both(
    "a 204 with chunks",
    http(["Transfer-Encoding: chunked"], "0\r\n\r\n", "HTTP/1.1 204 "),
    "right",
    AFTER,
  ).map((row) => ({ ...row, value: undefined })),
];

const interim = (...lines: string[]): string =>
  lines.map((line) => `HTTP/1.1 ${line}\r\n\r\n`).join("") + ANSWER;

const interims: readonly Case[] = [
  ...both("a 100", interim("100 Continue"), "right"),
  ...both("a 102", interim("102 Processing"), "right"),
  ...both("a 103", interim("103 Early Hints\r\nLink: </a>"), "right"),
  ...both("a 199", interim("199 What"), "right"),
  ...both("ten of them", interim(...Array(10).fill("100 Continue")), "right"),
  ...both(
    "a 100 with a length",
    interim("100 Continue\r\nContent-Length: 0"),
    "right",
  ),
  ...both(
    "a 101",
    interim("101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade"),
    "not_http",
    { bun: ["closed", "it fails with no code for it"] },
  ),
  kept("a 100 and nothing", "HTTP/1.1 100 Continue\r\n\r\n", "deadline"),
  ended("a 100 and nothing", "HTTP/1.1 100 Continue\r\n\r\n", "closed"),
];

export const versions: readonly Case[] = [
  ...lines,
  ...extra,
  ...interims,
];
