/** Waits for an event of a VMM. */
import type { Client } from "../client/create_client.ts";
import { type VmmExit, VmmExitedError } from "../errors/errors.ts";
import type { VmmEvent } from "../events/mod.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { onSettled } from "../wait/on_settled.ts";
import { watchEnd } from "./end_watch.ts";
import {
  type EventMatching,
  type EventPattern,
  isLastChance,
  matches,
  noEventMonitor,
} from "./event_pattern.ts";
import { goalTimedOut } from "./goal.ts";
import { UNKNOWN_EXIT } from "./poll.ts";
import { isNotCreated } from "./vm_info.ts";
import { type Vmm, vmmOf, type WaitOptions } from "./vmm.ts";

/** Options of {@linkcode waitForEvent}. */
export interface WaitForEventOptions extends WaitOptions {
  /**
   * `"start"` begins at the first event of the file, and `"now"` at the first
   * event after the call. A number is the `offset` of an earlier event, and
   * begins behind that event.
   *
   * Default: `"now"`.
   */
  readonly from?: "start" | "now" | number | undefined;
}

/**
 * Waits for the first event that matches a pattern or passes a test, and
 * resolves to the event. No event that the VMM reports after the call is
 * missed.
 *
 * @throws {InvalidRequestError} `events` when the VMM has no event monitor.
 * @throws {VmmExitedError} when the VMM ended without the event.
 * @throws {ApiError} `not_created` when the VM was deleted, and only that VM
 * could report the event.
 * @throws {DeadlineError} after `timeoutMs`, with the last event.
 */
export function waitForEvent<const P extends EventPattern>(
  vmm: Client | Vmm,
  wanted: P,
  options?: WaitForEventOptions,
): Promise<EventMatching<P>>;
/** Waits for the first event that passes the test. */
export function waitForEvent(
  vmm: Client | Vmm,
  wanted: (event: VmmEvent) => boolean,
  options?: WaitForEventOptions,
): Promise<VmmEvent>;
export async function waitForEvent(
  vmm: Client | Vmm,
  wanted: EventPattern | ((event: VmmEvent) => boolean),
  options: WaitForEventOptions = {},
): Promise<VmmEvent> {
  const { events, exited, client } = vmmOf(vmm, options.events);
  if (events === undefined) throw noEventMonitor();
  const { socketPath } = client;
  let lastSeen: string | undefined;
  const unmet = typeof wanted === "function"
    ? "reported no event that passes the test"
    : `reported no ${nameOf(wanted)}`;
  const scope = new AbortScope(options, (ms) => {
    const goal = { subject: "VMM", unmet, lastSeen: () => lastSeen } as const;
    return goalTimedOut(goal, ms, socketPath);
  });
  const watch = exited ? { ended: exited, stop() {} } : watchEnd(client);
  let timer: ReturnType<typeof setTimeout> | undefined;
  // The events of a handle end with the VMM. Other readers get a moment.
  const removeListener = onSettled(watch.ended, (exit) => {
    const reason = new VmmExitedError(exit as VmmExit ?? UNKNOWN_EXIT, {
      socketPath,
    });
    timer = setTimeout(() => scope.abort(reason), LAST_EVENTS_MS);
  });
  try {
    const { from = "now" } = options;
    for await (const event of events({ from, signal: scope.signal })) {
      const isWanted = typeof wanted === "function"
        ? wanted(event)
        : matches(wanted, event);
      if (isWanted) return event;
      lastSeen = nameOf(event);
      if (typeof wanted === "object" && isLastChance(wanted, event)) {
        await checkCreated(client, scope.signal);
      }
    }
  } finally {
    removeListener();
    clearTimeout(timer);
    watch.stop();
    scope.close();
  }
  throw new VmmExitedError(await exited ?? UNKNOWN_EXIT, { socketPath });
}

function nameOf({ source, event }: EventPattern | VmmEvent): string {
  return [source, event ?? "event"].filter(Boolean).join(" ");
}

/** @throws {ApiError} `not_created` unless the VMM has another VM. */
async function checkCreated(
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.vm.info({ signal });
  } catch (error) {
    if (isNotCreated(error)) throw error;
    // The events of a VMM that is ending end, too.
  }
}

/** The time for the events that the VMM reported before its end. */
const LAST_EVENTS_MS = 1000;
