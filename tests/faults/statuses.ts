/** Every kind of status, and micro_http's own words for a full house. */
import type { ApiErrorCode } from "../../mod.ts";
import { type Case, DEVICE, says } from "./case.ts";

const BODY = JSON.stringify(DEVICE);

function http(status: string, body: string, ...lines: string[]): string {
  const length = `Content-Length: ${body.length}`;
  return `${[`HTTP/1.1 ${status}`, ...lines, length].join("\r\n")}\r\n\r\n` +
    body;
}

function row(
  name: string,
  bytes: string,
  outcome: string,
  but?: Case["but"],
): Case[] {
  return (["keep", "end"] as const).map((then) => ({
    name: `${name}, ${then}`,
    script: says(bytes, then),
    outcome,
    ...(but && { but }),
  }));
}

const FULL = '{ "error": "Too many open connections" }';
/** There is neither a space nor a reason after its status. */
const OVERLOADED = "HTTP/1.1 503\r\nServer: Firecracker API\r\n" +
  `Connection: close\r\nContent-Length: ${FULL.length}\r\n\r\n${FULL}`;

const REFUSALS: readonly [ApiErrorCode, status: number, body: string][] = [
  ["not_created", 404, '["Error from API","VM is not created"]'],
  ["not_created", 500, '["Error from API","VM is not created"]'],
  ["not_created", 500, "VM is not created"],
  ["not_running", 409, '["Error from API","VM is not running"]'],
  ["already_exists", 409, '["Error from API","VM is already created"]'],
  ["busy", 429, '["Too Many Requests"]'],
  ["unsupported", 404, '["Not Found"]'],
  ["invalid_json", 400, '["Bad Request"]'],
  ["invalid_json", 400, ""],
  [
    "too_large",
    400,
    '{ "error": "Request payload with size 60000 is larger than the limit of 51200 allowed by server.\nAll previous unanswered requests will be dropped." }',
  ],
  ["overloaded", 503, FULL],
  ["overloaded", 503, ""],
  ["other", 500, "[]"],
  ["other", 500, "[[1,2],{}]"],
  ["other", 500, "[".repeat(10_000)],
  ["other", 500, '["cut'],
  ["other", 500, "null"],
  ["other", 500, "{}"],
  ["other", 500, "<html>"],
  ["other", 500, "x".repeat(1 << 20)],
  ["other", 418, "I'm a teapot"],
];

const REDIRECTS = [300, 301, 302, 303, 305, 307, 308] as const;

/** Statuses at which other clients send the request again. */
const AGAIN = [401, 407, 408, 413, 417, 421, 423, 425, 502, 504, 511] as const;

export const statuses: readonly Case[] = [
  ...REFUSALS.flatMap(([code, status, body]) =>
    row(`${status} ${body.slice(0, 30)}`, http(`${status} `, body), code)
  ),
  ...row("503 as micro_http words it", OVERLOADED, "overloaded"),
  ...REDIRECTS.flatMap((status) =>
    row(
      `${status} elsewhere`,
      http(`${status} `, "gone", "Location: http://127.0.0.1:1/"),
      "other",
    )
  ),
  ...row("302 to the same place", http("302 ", "a", "Location: ?"), "other"),
  ...row("302 to nowhere", http("302 ", "a"), "other"),
  ...row("304", "HTTP/1.1 304 \r\n\r\n", "other"),
  ...AGAIN.flatMap((status) =>
    row(
      `${status} and a second try`,
      http(
        `${status} `,
        "no",
        'WWW-Authenticate: Basic realm="a"',
        'Proxy-Authenticate: Basic realm="a"',
        "Retry-After: 0",
      ),
      "other",
    )
  ),
  ...row("599", http("599 ", "no"), "other"),
  ...row("200", http("200 ", BODY), "right"),
  ...row("201", http("201 ", BODY), "right"),
  ...row("202", http("202 ", BODY), "right"),
  ...row("203", http("203 ", BODY), "right"),
  ...row("206", http("206 ", BODY), "right"),
  ...row("299", http("299 ", BODY), "right"),
  ...row("600", http("600 ", "no"), "other"),
  ...row("999", http("999 ", "no"), "other"),
  ...row("099", http("099 ", "no"), "not_http"),
  ...row("000", http("000 ", "no"), "not_http"),
];
