/** What is read, and from where on. */
import type { MonitorEvent } from "../contract/monitor_event.ts";
import type { KnownEvent } from "../generated/events.gen.ts";

/**
 * An event that is not listed here: a later release's. It is wrapped, so that
 * what is listed can be told apart by `source` and `event`.
 */
export interface UnlistedEvent {
  /** The time since the monitor's start. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond them. */
    readonly nanos: number;
  };
  /** Not the VMM but its reader. */
  readonly source: "reader";
  /** What has happened. */
  readonly event: "unlisted";
  /** The event as it was read. */
  readonly properties: MonitorEvent<
    string,
    string,
    Readonly<Record<string, string>> | null
  >;
}

/** Bytes that are no event; reading goes on after them. */
export interface UnreadableEvent {
  /** There is none. */
  readonly timestamp: null;
  /** Not the VMM but its reader. */
  readonly source: "reader";
  /** What has happened. */
  readonly event: "unreadable";
  /** Which bytes they are. */
  readonly properties: {
    /** Where they begin, in bytes from the source's beginning. */
    readonly offset: number;
    /** How many there are. */
    readonly length: number;
    /** The first of them, at most 1024. */
    readonly bytes: Uint8Array;
  };
}

/** An event; known ones are told apart by `source` and `event` together. */
export type VmmEvent = KnownEvent | UnlistedEvent | UnreadableEvent;

/** What `readEvents` takes besides the source. */
export interface ReadEventsOptions {
  /**
   * Whether to begin with the file's first event, or with what is written from
   * the call on. A pipe or a stream has no beginning but now.
   *
   * Default: `"start"`.
   */
  readonly from?: "start" | "now" | undefined;
  /** Ends it: the iteration rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /** Resolves when the VMM has ended: what is there is read, and no more. */
  readonly ended?: Promise<unknown> | undefined;
}
