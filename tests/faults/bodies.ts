/** Bodies that are large, odd, or no JSON. */
import { gzipSync } from "node:zlib";
import type { Client } from "../../mod.ts";
import { type Case, DEVICE, says } from "./case.ts";

const BODY = JSON.stringify(DEVICE);
const encoder = new TextEncoder();

function answer(body: string | Uint8Array, ...lines: string[]): Uint8Array {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const head = ["HTTP/1.1 200 OK", ...lines, `Content-Length: ${bytes.length}`]
    .join("\r\n");
  return concat(encoder.encode(`${head}\r\n\r\n`), bytes);
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function row(
  name: string,
  body: string | Uint8Array,
  outcome: string,
  value?: unknown,
): Case {
  const script = says(answer(body), "keep");
  return { name, script, outcome, ...(outcome === "right" && { value }) };
}

const ping = ({ vmm }: Client, options: object): Promise<unknown> =>
  vmm.ping(options);
const boot = ({ vm }: Client, options: object): Promise<unknown> =>
  vm.boot(options);
const counters = ({ vm }: Client, options: object): Promise<unknown> =>
  vm.counters(options);

const invalid = (...bytes: number[]): Uint8Array =>
  concat(
    encoder.encode('{"id":"'),
    Uint8Array.from(bytes),
    encoder.encode('"}'),
  );

/** 8 MB of small numbers in a string. */
const LARGE = { id: "x".repeat(8 << 20), bdf: "0" };

export const bodies: readonly Case[] = [
  row("an object", BODY, "right", DEVICE),
  row("white space around it", ` \r\n\t${BODY}\n `, "right", DEVICE),
  row("null", "null", "right", null),
  row("a number", "7", "right", 7),
  row("a string", '"a"', "right", "a"),
  row("a list", "[]", "right", []),
  row("2^64 - 1", "18446744073709551615", "right", 2n ** 64n - 1n),
  row("-2^63", "-9223372036854775808", "right", -(2n ** 63n)),
  row("no body", "", "right", undefined),
  row("white space alone", " ", "not_http"),
  row("a mark of the byte order", `\ufeff${BODY}`, "right", DEVICE),
  row("two marks of the byte order", `\ufeff\ufeff${BODY}`, "not_http"),
  row("another byte order", "\0" + [...BODY].join("\0"), "not_http"),
  row("half an object", BODY.slice(0, -1), "not_http"),
  row("an object and more", `${BODY}}`, "not_http"),
  row("two objects", BODY + BODY, "not_http"),
  row("a comment", `/**/${BODY}`, "not_http"),
  row("single quotes", "{'id':'a'}", "not_http"),
  row("a comma too many", '{"id":"a",}', "not_http"),
  row("NaN", "NaN", "not_http"),
  row("Infinity", "-Infinity", "not_http"),
  row("a number with zeros before it", "007", "not_http"),
  row("a control character", '{"id":"\n"}', "not_http"),
  row("a page", "<!DOCTYPE html><p>404", "not_http"),
  row("a NUL", "\0", "not_http"),
  row("a lone continuation byte", invalid(0x80), "right", { id: "\ufffd" }),
  row("half a character", invalid(0xe2, 0x82), "right", { id: "\ufffd" }),
  row("an overlong character", invalid(0xc0, 0xaf), "right", {
    id: "\ufffd\ufffd",
  }),
  row("a lone surrogate in bytes", invalid(0xed, 0xa0, 0x80), "right", {
    id: "\ufffd\ufffd\ufffd",
  }),
  row("a lone surrogate in an escape", '{"id":"\\ud800"}', "right", {
    id: "\ud800",
  }),
  row("characters of four bytes", '{"id":"𝄞"}', "right", { id: "𝄞" }),
  row("bytes that are no text", Uint8Array.from([255, 254, 0, 1]), "not_http"),
  row("8 MB", JSON.stringify(LARGE), "right", LARGE),
  {
    name: "10,000 lists deep",
    script: says(answer("[".repeat(10_000) + "]".repeat(10_000)), "keep"),
    outcome: "right",
    check: Array.isArray,
  },
  row("a million lists deep", "[".repeat(1 << 20), "not_http"),
  {
    name: "no body where data is due",
    script: says(answer(""), "keep"),
    call: ping,
    outcome: "not_http",
  },
  {
    name: "a body where none is due",
    script: says(answer("[1]"), "keep"),
    call: boot,
    outcome: "right",
    value: [1],
  },
  {
    name: "counters of each size",
    script: says(answer('{"_disk0":{"a":0,"b":18446744073709551615}}')),
    call: counters,
    outcome: "right",
    value: { _disk0: { a: 0n, b: 2n ** 64n - 1n } },
  },
  {
    name: "zipped",
    script: says(answer(gzipSync(BODY), "Content-Encoding: gzip"), "keep"),
    outcome: "right",
    but: { node: ["not_http", "node:http unpacks nothing, nor asks for it"] },
  },
  {
    name: "not zipped, though it says so",
    script: says(answer(BODY, "Content-Encoding: gzip"), "keep"),
    outcome: "closed",
    but: { node: ["right", "node:http unpacks nothing"] },
  },
  {
    name: "an encoding that nobody knows",
    script: says(answer(BODY, "Content-Encoding: none"), "keep"),
    outcome: "right",
  },
];
