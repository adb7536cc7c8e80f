/** Finds whole records among other bytes. */
import type { Buffer } from "node:buffer";
import type { MonitorEvent } from "../generated_support/monitor_event.ts";
import { eventKinds, type KnownEvent } from "../generated/events.gen.ts";
import type { UnlistedEvent, UnreadableEvent } from "./event.ts";

/** An event without its position. */
type ParsedEvent = KnownEvent | UnlistedEvent;

/** A record that stands among other bytes. */
export interface Salvaged {
  readonly event: ParsedEvent;
  readonly begin: number;
  readonly end: number;
}

/** Yields each whole record in the bytes. */
export function* salvage(bytes: Buffer): Generator<Salvaged, void, void> {
  const starts = [...bytes.toString("latin1").matchAll(START)]
    .map(({ index }) => index);
  for (const [index, begin] of starts.entries()) {
    const end = withoutNuls(bytes, starts[index + 1] ?? bytes.length);
    const event = parseRecord(bytes.subarray(begin, end));
    if (event !== undefined) yield { event, begin, end };
  }
}

/** The event of a record; undefined unless the bytes are one record. */
export function parseRecord(bytes: Buffer): ParsedEvent | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return isEvent(value) ? toListed(value) : undefined;
  } catch {
    return undefined;
  }
}

/** The event for bytes that are no record; it ends where they end. */
export function unreadable(
  bytes: Buffer,
  begin: number,
  length: number,
): UnreadableEvent & { offset: number } {
  const first = new Uint8Array(bytes.subarray(0, Math.min(length, KEPT_BYTES)));
  return {
    timestamp: null,
    source: "reader",
    event: "unreadable",
    properties: { offset: begin, length, bytes: first },
    offset: begin + length,
  };
}

export function isSpace(byte: number): boolean {
  return byte === 0x0a || byte === 0x20 || byte === 0x0d || byte === 0x09;
}

/** The end of the bytes without the NULs at their end. */
function withoutNuls(bytes: Buffer, end: number): number {
  while (bytes[end - 1] === 0) end--;
  return end;
}

type AnyEvent = MonitorEvent<string, string, Record<string, string> | null>;

function toListed(event: AnyEvent): ParsedEvent {
  const kind = `${event.source} ${event.event}`;
  if (eventKinds.has(kind)) return event as KnownEvent;
  const { timestamp } = event;
  return { timestamp, source: "reader", event: "unlisted", properties: event };
}

function isEvent(value: unknown): value is AnyEvent {
  if (typeof value !== "object" || value === null) return false;
  const { timestamp, source, event, properties } = value as {
    [key: string]: unknown;
  };
  return typeof source === "string" && typeof event === "string" &&
    typeof properties === "object" && typeof timestamp === "object" &&
    timestamp !== null && "secs" in timestamp && "nanos" in timestamp;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The beginning of a record; no text in a record contains it unescaped. */
const START = /\{\s*"(?:timestamp|source|event|properties)"/g;
const KEPT_BYTES = 1024;
