/** Records of an event monitor, and the events that a reader makes of them. */
import type { VmmEvent } from "../../src/events/mod.ts";

/** A record with a time of `n` seconds. */
export function event(n: number, name = "resized"): string {
  const text = {
    timestamp: { secs: n, nanos: 1 },
    source: "vm",
    event: name,
    properties: null,
  };
  return `${JSON.stringify(text, null, 2)}\n\n`;
}

/** The last record of a VMM. */
export const LAST: string = event(0, "shutdown").replace('"vm"', '"vmm"');

/** The parts as a source of bytes. */
export async function* chunks(
  parts: Iterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) {
    yield typeof part === "string" ? new TextEncoder().encode(part) : part;
  }
}

/** All events. */
export async function all(
  events: AsyncIterable<VmmEvent>,
): Promise<VmmEvent[]> {
  const list = [];
  for await (const one of events) list.push(one);
  return list;
}

/** An event in short. */
export function brief(one: VmmEvent): string | number {
  if (one.timestamp !== null) return one.timestamp.secs;
  const { offset, length } = one.properties;
  return `${offset}+${length}`;
}

/** The events in short: their seconds, or the place of unreadable bytes. */
export async function briefly(
  events: AsyncIterable<VmmEvent>,
): Promise<(string | number)[]> {
  return (await all(events)).map(brief);
}

/** Lets pending reads begin to wait. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
