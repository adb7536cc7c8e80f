/**
 * Bytes, cut anywhere, as events. A record is JSON over several lines, and
 * ends with an empty line; no other line of it is empty.
 */
import { Buffer } from "node:buffer";
import type { MonitorEvent } from "../contract/monitor_event.ts";
import { eventKinds, type KnownEvent } from "../generated/events.gen.ts";
import type { UnreadableEvent, VmmEvent } from "./event.ts";

export class Records {
  /** Where `#rest` begins. */
  #offset: number;
  /** What came after the last whole record. */
  #rest: Buffer = Buffer.alloc(0);
  /** How many bytes of a record that is too long were not kept. */
  #skipped = 0;
  /** The beginning of such a record. */
  #head: Buffer = Buffer.alloc(0);

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** The events that these bytes complete. */
  *add(bytes: Uint8Array): Generator<VmmEvent, void, void> {
    const known = Math.max(this.#rest.length - 1, 0);
    const all = this.#rest.length === 0
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      : Buffer.concat([this.#rest, bytes]);
    let from = 0;
    for (
      let end = all.indexOf(END, known);
      end >= 0;
      end = all.indexOf(END, from)
    ) {
      yield* this.#take(all.subarray(from, end));
      from = end + END.length;
      this.#offset += END.length;
    }
    this.#keep(all.subarray(from));
  }

  /** What is left when no more will come. */
  *end(): Generator<VmmEvent, void, void> {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    yield* this.#take(rest);
  }

  /** Begins anew, as its source does; what was incomplete is reported. */
  *restart(): Generator<VmmEvent, void, void> {
    yield* this.end();
    this.#offset = 0;
  }

  /** A record that never ends costs no more than its limit. */
  #keep(rest: Buffer): void {
    // Copies, since a reader may fill its buffer again.
    if (this.#skipped === 0) {
      if (rest.length <= MAX_BYTES) {
        this.#rest = Buffer.from(rest);
        return;
      }
      this.#head = Buffer.from(rest.subarray(0, KEPT_BYTES));
    }
    // The last byte may be the first half of the record's end.
    this.#rest = Buffer.from(rest.subarray(-1));
    this.#skipped += rest.length - this.#rest.length;
  }

  *#take(bytes: Buffer): Generator<VmmEvent, void, void> {
    const skipped = this.#skipped;
    const offset = this.#offset;
    const length = bytes.length + skipped;
    this.#offset += length;
    this.#skipped = 0;
    if (skipped > 0) {
      yield unreadable(this.#head, offset, length);
      return;
    }
    if (bytes.every(isSpace)) return;
    const event = parse(bytes);
    if (event !== undefined) yield event;
    else yield* salvage(bytes, offset);
  }
}

/** Events after garbage, or after one that was never completed. */
function* salvage(
  bytes: Buffer,
  offset: number,
): Generator<VmmEvent, void, void> {
  let from = 0;
  while (from < bytes.length) {
    const next = bytes.indexOf(BEGINNING, from + 1);
    const to = next < 0 ? bytes.length : next + 1;
    const part = bytes.subarray(from, to);
    const event = parse(part);
    yield event ?? unreadable(part, offset + from, part.length);
    from = to;
  }
}

function unreadable(
  bytes: Buffer,
  offset: number,
  length: number,
): UnreadableEvent {
  const first = new Uint8Array(bytes.subarray(0, KEPT_BYTES));
  return {
    timestamp: null,
    source: "reader",
    event: "unreadable",
    properties: { offset, length, bytes: first },
  };
}

function parse(bytes: Buffer): VmmEvent | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return isEvent(value) ? listed(value) : undefined;
  } catch {
    return undefined;
  }
}

type AnyEvent = MonitorEvent<string, string, Record<string, string> | null>;

function listed(event: AnyEvent): VmmEvent {
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

function isSpace(byte: number): boolean {
  return byte === 0x0a || byte === 0x20 || byte === 0x0d || byte === 0x09;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** What ends a record. */
const END = Buffer.from("\n\n");
/** What begins one, and stands nowhere within. */
const BEGINNING = Buffer.from("\n{\n");
/** A record is some hundred bytes. */
const MAX_BYTES = 1 << 20;
const KEPT_BYTES = 1024;
