/**
 * Turns bytes, cut anywhere, into events. A record is JSON over several lines,
 * and ends with a blank line; it contains no other blank line.
 */
import { Buffer } from "node:buffer";
import type { VmmEvent } from "./event.ts";
import { isSpace, parseRecord, salvage, unreadable } from "./salvage.ts";

export class Records {
  /** The position of the first byte that is in no event yet. */
  #offset: number;
  /** The end of the bytes that are in no event yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** The number of bytes before `#rest` that were not kept. */
  #dropped = 0;
  /** The beginning of the dropped bytes. */
  #head: Buffer = Buffer.alloc(0);

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Yields the events that these bytes complete. */
  *add(bytes: Uint8Array): Generator<VmmEvent, void, void> {
    if (bytes.length >= MIN_HOLE_BYTES && isZero(bytes)) {
      yield* this.#addHole(bytes);
      return;
    }
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
      yield* this.#take(all.subarray(from, end), END.length);
      from = end + END.length;
    }
    this.#keep(all.subarray(from));
  }

  /** Yields the bytes that are left when no more will come. */
  *end(): Generator<VmmEvent, void, void> {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    yield* this.#take(rest, 0);
  }

  /** Reports an incomplete record, and begins at position 0 again. */
  *restart(): Generator<VmmEvent, void, void> {
    yield* this.end();
    this.#offset = 0;
  }

  /** Skips a part of a hole in a file: no record contains a NUL byte. */
  *#addHole(bytes: Uint8Array): Generator<VmmEvent, void, void> {
    if (this.#dropped === 0 && parseRecord(this.#rest) !== undefined) {
      yield* this.end();
    }
    if (this.#dropped === 0) {
      const start = bytes.subarray(0, HEAD_BYTES);
      this.#head = Buffer.concat([this.#rest, start]).subarray(0, HEAD_BYTES);
    }
    this.#dropped += this.#rest.length + bytes.length;
    this.#rest = Buffer.alloc(0);
  }

  /** Keeps the rest; of a record that never ends, only its two ends. */
  #keep(rest: Buffer): void {
    // Copies the bytes, since a reader may reuse its buffer.
    if (this.#dropped === 0) {
      if (rest.length <= MAX_BYTES) {
        this.#rest = Buffer.from(rest);
        return;
      }
      this.#head = Buffer.from(rest.subarray(0, HEAD_BYTES));
    }
    // A whole record can follow the garbage, without a blank line between.
    this.#rest = Buffer.from(rest.subarray(-TAIL_BYTES));
    this.#dropped += rest.length - this.#rest.length;
  }

  *#take(bytes: Buffer, endBytes: number): Generator<VmmEvent, void, void> {
    const start = this.#offset;
    const dropped = this.#dropped;
    const next = start + dropped + bytes.length + endBytes;
    this.#offset = next;
    this.#dropped = 0;
    if (dropped === 0) {
      if (bytes.every(isSpace)) return;
      const event = parseRecord(bytes);
      if (event !== undefined) {
        yield { ...event, offset: next };
        return;
      }
    }
    let position = start;
    let garbage = dropped;
    let from = 0;
    for (const { event, begin, end } of salvage(bytes)) {
      garbage += begin - from;
      if (garbage > 0) {
        yield unreadable(this.#first(dropped, bytes, from), position, garbage);
      }
      position = start + dropped + end;
      const isLast = end === bytes.length;
      yield { ...event, offset: isLast ? next : position };
      from = end;
      garbage = 0;
    }
    garbage += bytes.length - from;
    if (garbage > 0 && !(from > 0 && bytes.subarray(from).every(isSpace))) {
      yield {
        ...unreadable(this.#first(dropped, bytes, from), position, garbage),
        offset: next,
      };
    }
  }

  #first(dropped: number, bytes: Buffer, from: number): Buffer {
    return dropped > 0 && from === 0 ? this.#head : bytes.subarray(from);
  }
}

/** Compares with zeros, which is much faster than to look at each byte. */
export function isZero(bytes: Uint8Array): boolean {
  if (bytes.length > zeros.length) zeros = Buffer.alloc(bytes.length);
  return bytes[0] === 0 && bytes.at(-1) === 0 &&
    Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

let zeros: Buffer = Buffer.alloc(0);

/** The end of a record. */
const END = Buffer.from("\n\n");
/** A record has some hundred bytes. */
const MAX_BYTES = 1 << 20;
const TAIL_BYTES = 1 << 16;
const HEAD_BYTES = 1024;
/** A shorter run of zeros is kept like other garbage. */
const MIN_HOLE_BYTES = 1 << 15;
