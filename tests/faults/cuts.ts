/** The connection breaks at every byte of an answer. */
import { reply } from "../support/server.ts";
import { type Case, DEVICE, says } from "./case.ts";

const ANSWER = reply(200, JSON.stringify(DEVICE));
const NOTHING = reply(204);
const REFUSAL = reply(404, '["Error from API","VM is not created"]');
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const CHUNKED = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n" +
  `1e\r\n${JSON.stringify(DEVICE).slice(0, 30)}\r\n` +
  `${(JSON.stringify(DEVICE).length - 30).toString(16)}\r\n` +
  `${JSON.stringify(DEVICE).slice(30)}\r\n0\r\n\r\n`;

/** Each byte of some answers, by an end and by a reset. */
export const cuts: readonly Case[] = [
  ...every("an answer", ANSWER, "end"),
  ...every("an answer", ANSWER, "destroy"),
  ...every("a 204", NOTHING, "end"),
  ...every("a refusal", REFUSAL, "end"),
  ...every("chunks", CHUNKED, "end", CHUNKED.length - 3),
  ...[2, 1].map((less): Case => ({
    name: `chunks, end ${less} bytes early`,
    script: says(CHUNKED.slice(0, -less)),
    outcome: "closed",
    but: { bun: ["right", "the line of the last chunk is the end to it"] },
  })),
  ...every("a 100 and an answer", CONTINUE + ANSWER, "end", 30),
];

/** The same, but then silence: one byte of each kind. */
export const silences: readonly Case[] = [
  ...[0, 1, 5, 8, 9, 12, 13, 14, 15, 16, 20, 23, 24, 50, 60].map((at) =>
    silence("an answer", ANSWER, at)
  ),
  ...[-1, -2, -20, -45, -46, -47, -48, -49, -50].map((at) =>
    silence("an answer", ANSWER, ANSWER.length + at)
  ),
  ...[-1, -2, -3, -4, -5, -10].map((at) =>
    silence("chunks", CHUNKED, CHUNKED.length + at)
  ),
  silence("a 100 and an answer", CONTINUE, CONTINUE.length),
];

function every(
  what: string,
  bytes: string,
  then: "end" | "destroy",
  most: number = bytes.length - 1,
): Case[] {
  return Array.from({ length: most + 1 }, (_, at) => ({
    name: `${what}, ${then} after ${at} of ${bytes.length} bytes`,
    script: says(bytes.slice(0, at), then),
    outcome: "closed",
  }));
}

function silence(what: string, bytes: string, at: number): Case {
  return {
    name: `${what}, silence after ${at} of ${bytes.length} bytes`,
    script: says(bytes.slice(0, at), "keep"),
    outcome: "deadline",
  };
}
