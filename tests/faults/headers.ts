/** Headers that are many, large, doubled, missing or none. */
import { type Case, DEVICE, says } from "./case.ts";

const BODY = JSON.stringify(DEVICE);
const LENGTH = `Content-Length: ${BODY.length}`;

/** An answer with these header lines besides the length. */
function row(
  name: string,
  lines: readonly string[],
  outcome: string,
  but?: Case["but"],
): Case[] {
  const bytes = ["HTTP/1.1 200 OK", ...lines, LENGTH].join("\r\n") +
    `\r\n\r\n${BODY}`;
  return (["keep", "end"] as const).map((then) => ({
    name: `${name}, ${then}`,
    script: says(Uint8Array.from(bytes, (char) => char.charCodeAt(0)), then),
    outcome,
    ...(but && { but }),
  }));
}

const SIXTEEN: Case["but"] = {
  node: ["not_http", "node:http takes 16 KB of headers"],
};

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `X-${i}: y`);

export const headers: readonly Case[] = [
  ...row("none but the length", [], "right"),
  ...row("a type that is none", ["Content-Type: ;;;"], "right"),
  ...row("a type that is text", ["Content-Type: text/html"], "right"),
  ...row("another charset", [
    "Content-Type: application/json; charset=utf-16",
  ], "right"),
  ...row("two types", [
    "Content-Type: text/plain",
    "Content-Type: application/json",
  ], "right"),
  ...row("two servers", ["Server: a", "Server: b"], "right"),
  ...row("close", ["Connection: close"], "right"),
  ...row("keep-alive and close", [
    "Connection: keep-alive",
    "Connection: close",
  ], "right"),
  ...row("a time to keep it", ["Keep-Alive: timeout=5, max=0"], "right"),
  ...row("an upgrade", ["Connection: upgrade", "Upgrade: websocket"], "right"),
  ...row("a cookie", ["Set-Cookie: a=b", "Set-Cookie: c=d"], "right"),
  ...row("a redirect with a 200", ["Location: http://127.0.0.1:1/"], "right"),
  ...row("a refresh", ["Refresh: 0; url=http://127.0.0.1:1/"], "right"),
  ...row("an alternative", ['Alt-Svc: h3=":443"'], "right"),
  ...row("an empty value", ["X:"], "right"),
  ...row("tabs", ["X:\ty\t"], "right"),
  ...row("a value beyond ASCII", ["X: \xc3\xa4\xff"], "right"),
  ...row("no colon", ["no colon"], "not_http"),
  ...row("no name", [": y"], "not_http"),
  ...row("a space in the name", ["X Y: z"], "not_http"),
  ...row("a space before the colon", ["X : y"], "not_http"),
  ...row("a name beyond ASCII", ["\xc3\xa4: y"], "not_http"),
  ...row("a NUL in the name", ["X\0: y"], "not_http"),
  ...row("a NUL in the value", ["X: \0"], "not_http"),
  ...row("a folded line", ["X: y", " z"], "not_http"),
  ...row("a folded first line", [" z"], "not_http"),
  ...row("a return in the value", ["X: y\rz"], "not_http"),
  ...row("a line of 1 KB", [`X: ${"y".repeat(1 << 10)}`], "right"),
  ...row("a line of 8 KB", [`X: ${"y".repeat(8 << 10)}`], "right"),
  ...row("a line of 32 KB", [`X: ${"y".repeat(32 << 10)}`], "right", SIXTEEN),
  ...row("a name of 32 KB", [`${"x".repeat(32 << 10)}: y`], "right", SIXTEEN),
  ...row("a line of 600 KB", [`X: ${"y".repeat(600 << 10)}`], "not_http", {
    bun: ["right", "it has no bound of its own below 1 MB"],
  }),
  ...row("50 lines", many(50), "right"),
  ...row("90 lines", many(90), "right"),
  ...row("1000 lines", many(1000), "not_http", {
    node: ["right", "node:http counts bytes, the others lines"],
  }),
  ...row("30000 lines", many(30_000), "not_http"),
];
