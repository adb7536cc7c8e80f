/** The events that a reader yields. */
import type { MonitorEvent } from "../generated_support/monitor_event.ts";
import type { KnownEvent } from "../generated/events.gen.ts";

/**
 * An event of a later release, which the types do not list. The reader wraps
 * it, so that `source` and `event` tell the listed events apart.
 */
export interface UnlistedEvent {
  /** The time since the monitor's start. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond the whole seconds. */
    readonly nanos: number;
  };
  /** The reader reports the event, not the VMM. */
  readonly source: "reader";
  /** The kind of the event. */
  readonly event: "unlisted";
  /** The event as it was read. */
  readonly properties: MonitorEvent<
    string,
    string,
    Readonly<Record<string, string>> | null
  >;
}

/** Bytes that are no event; the reader goes on after them. */
export interface UnreadableEvent {
  /** Such bytes have no time. */
  readonly timestamp: null;
  /** The reader reports the event, not the VMM. */
  readonly source: "reader";
  /** The kind of the event. */
  readonly event: "unreadable";
  /** The position and the beginning of the bytes. */
  readonly properties: {
    /** The position of the first byte, from the source's beginning. */
    readonly offset: number;
    /** The number of bytes. */
    readonly length: number;
    /** The first bytes, at most 1024. */
    readonly bytes: Uint8Array;
  };
}

/** The place of an event in its source. */
export interface EventPosition {
  /**
   * The position behind the event, in bytes from the source's beginning. Give
   * it to `readEvents` as `from` to go on after this event.
   */
  readonly offset: number;
}

/** An event; `source` and `event` together tell the kinds apart. */
export type VmmEvent =
  & (KnownEvent | UnlistedEvent | UnreadableEvent)
  & EventPosition;

/** Options of `readEvents`. */
export interface ReadEventsOptions {
  /**
   * `"start"` begins at the first event of the file, and `"now"` at the first
   * event after the call. A number is the `offset` of an earlier event, and
   * begins behind that event. A file that is shorter than the offset is read
   * from its beginning. A pipe or a stream always begins now.
   *
   * Default: `"start"`.
   */
  readonly from?: "start" | "now" | number | undefined;
  /**
   * When this signal aborts, the iteration rejects with the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * A promise that settles when the VMM has ended: the reader then reads to the
   * end of the file and ends. With a promise that is settled already, the
   * reader reads all events so far.
   */
  readonly ended?: Promise<unknown> | undefined;
}

/** Begins to read the events of one source. */
export type EventReader = (
  options?: ReadEventsOptions,
) => AsyncIterable<VmmEvent>;
