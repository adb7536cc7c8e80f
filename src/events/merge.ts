/** The events of several VMs in one stream. */
import { InvalidRequestError } from "../errors/errors.ts";
import { STOPPED, Wakeup } from "../wait/wakeup.ts";
import type { EventPosition, EventReader, VmmEvent } from "./event.ts";
import { stoppable } from "./read.ts";

/** The events of one VM, and its name; each VMM of `spawnVmms` is one. */
export interface NamedEvents {
  /** The name of the VM. */
  readonly name: string;
  /** The reader, such as `events` of a handle. */
  readonly events: EventReader;
}

/** Options of {@linkcode mergeEvents}. */
export interface MergeEventsOptions {
  /**
   * `"start"` begins at the first event of each VM, and `"now"` at the first
   * event after the call. An object gives, by the names of the VMs, the
   * `offset` of an earlier event, and begins behind that event. A VM that the
   * object does not name begins at its first event.
   *
   * Default: `"start"`.
   */
  readonly from?:
    | "start"
    | "now"
    | Readonly<Record<string, number>>
    | undefined;
  /** When this signal aborts, the iteration rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The events of one VM cannot be read any more; its last event. */
export interface FailedEvent extends EventPosition {
  /** A failure has no time. */
  readonly timestamp: null;
  /** The reader reports the event, not the VMM. */
  readonly source: "reader";
  /** The kind of the event. */
  readonly event: "failed";
  /** The reason. */
  readonly properties: {
    /** The error of the VM's reader. */
    readonly error: unknown;
  };
}

/** An event with the name of its VM. */
export type MergedEvent = (VmmEvent | FailedEvent) & {
  /** The name of the VM. */
  readonly vm: string;
};

/**
 * Reads the events of several VMs as one stream, each with the name of its VM
 * as `vm`. The events of one VM keep their order; VMs with new events take
 * turns.
 *
 * The stream ends when the events of all VMs have ended. If the events of one
 * VM cannot be read any more, the last event of that VM is `reader failed` with
 * the error, and the other VMs go on. No more than one event of each VM is read
 * ahead of the caller. Leaving a `for await` closes everything.
 *
 * An offset is a number that JSON can store. An offset belongs to one VMM
 * process: after a new start of the VMM, leave the offset out.
 *
 * @throws {InvalidRequestError} `events` of a VM without an event monitor, and
 * `name` when two VMs have the same name.
 *
 * @example
 * ```ts
 * import {
 *   type EventReader,
 *   mergeEvents,
 *   readEvents,
 * } from "@chv/cloud-hypervisor/events";
 *
 * const events: EventReader = (options) =>
 *   readEvents("/run/vm0/events", options);
 * const vms = [{ name: "vm0", events }]; // or `vmms` of a group
 * for await (const { vm, source, event } of mergeEvents(vms)) {
 *   console.log(vm, source, event);
 * }
 * ```
 */
export function mergeEvents(
  vms: Iterable<NamedEvents>,
  { from = "start", signal }: MergeEventsOptions = {},
): AsyncGenerator<MergedEvent, void, void> {
  const named = [...vms];
  named.forEach(checkVm);
  const ends = new AbortController();
  const streams = named.map(({ name, events }): Stream => {
    const start = typeof from === "object" ? from[name] ?? "start" : from;
    // "now" is the time of this call.
    const iterable = events({ from: start, signal: ends.signal });
    const offset = typeof start === "number" ? start : 0;
    return { name, iterator: iterable[Symbol.asyncIterator](), offset };
  });
  const wakeup = new Wakeup(signal);
  return stoppable(merge(streams, wakeup, ends, signal), wakeup);
}

interface Stream {
  readonly name: string;
  readonly iterator: AsyncIterator<VmmEvent>;
  /** The position behind the last event. */
  offset: number;
  /** The answer of the last `next()`. */
  result?: PromiseSettledResult<IteratorResult<VmmEvent>>;
}

async function* merge(
  streams: readonly Stream[],
  wakeup: Wakeup,
  ends: AbortController,
  signal: AbortSignal | undefined,
): AsyncGenerator<MergedEvent, void, void> {
  const ready: Stream[] = [];
  const ask = async (stream: Stream): Promise<void> => {
    const [result] = await Promise.allSettled([stream.iterator.next()]);
    stream.result = result;
    ready.push(stream);
    wakeup.notify();
  };
  const close = (): void => {
    ends.abort(STOPPED);
    for (const { iterator } of streams) {
      // A reader of the caller that ignores the signal may never answer.
      iterator.return?.()?.catch(() => {});
    }
  };
  let open = streams.length;
  try {
    wakeup.open();
    // At once, also while the caller handles an event.
    signal?.addEventListener("abort", close, { once: true });
    for (const stream of streams) void ask(stream);
    while (open > 0) {
      wakeup.reset();
      const stream = ready.shift();
      if (stream === undefined) {
        await wakeup.pause();
        continue;
      }
      const event = eventOf(stream);
      if (event) yield event;
      if (event === undefined || event.event === "failed") open--;
      else void ask(stream);
    }
  } catch (error) {
    if (error !== STOPPED) throw error;
  } finally {
    wakeup.close();
    signal?.removeEventListener("abort", close);
    close();
  }
}

/** The next event of a stream; undefined at its end. */
function eventOf(stream: Stream): MergedEvent | undefined {
  const { name: vm, result } = stream;
  if (result?.status === "fulfilled") {
    if (result.value.done) return undefined;
    stream.offset = result.value.value.offset;
    return { ...result.value.value, vm };
  }
  return {
    timestamp: null,
    source: "reader",
    event: "failed",
    properties: { error: result?.reason },
    offset: stream.offset,
    vm,
  };
}

function checkVm(
  { name, events }: NamedEvents,
  index: number,
  all: readonly NamedEvents[],
): void {
  const refuse = (field: string, reason: string): never => {
    throw new InvalidRequestError("invalid_request", field, reason);
  };
  if (typeof events !== "function") {
    const reason =
      `VM "${name}" has no event monitor; start it with spawnVmm, or pass eventsPath to connectVmm`;
    refuse("events", reason);
  }
  if (all.findIndex((other) => other.name === name) < index) {
    refuse("name", `two VMs have the name "${name}"`);
  }
}
