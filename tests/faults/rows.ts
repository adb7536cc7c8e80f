/** Cases by the bytes of their answer, kept open or ended after it. */
import { type Case, DEVICE, says } from "./case.ts";

export const BODY: string = JSON.stringify(DEVICE);
export const N: number = BODY.length;

/** An answer by its status line, its other header lines and its body. */
export function http(
  lines: readonly string[],
  body: string = BODY,
  status = "HTTP/1.1 200 OK",
): string {
  return `${[status, ...lines].join("\r\n")}\r\n\r\n${body}`;
}

export const ANSWER: string = http([`Content-Length: ${N}`]);
export const HEX: string = N.toString(16);

export type But = NonNullable<Case["but"]>;

export function kept(
  name: string,
  bytes: string,
  outcome: string,
  but?: But,
): Case {
  const script = says(bytes, "keep");
  return { name: `${name}, kept open`, script, outcome, ...(but && { but }) };
}

export function ended(
  name: string,
  bytes: string,
  outcome: string,
  but?: But,
): Case {
  const script = says(bytes, "end");
  return { name: `${name}, ended`, script, outcome, ...(but && { but }) };
}

export function both(
  name: string,
  bytes: string,
  outcome: string,
  but?: But,
): Case[] {
  return [kept(name, bytes, outcome, but), ended(name, bytes, outcome, but)];
}

/** Bytes after the response, in the same read, are parsed, too. */
export const AFTER: But = {
  node: ["not_http", "llhttp takes it for an answer that is none"],
};
