/** Waits for an event. */
import type { Client } from "../client/create_client.ts";
import { InvalidRequestError, VmmExitedError } from "../errors/errors.ts";
import type { KnownEvent, VmmEvent } from "../events/mod.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { type Vmm, vmmOf, type WaitOptions } from "./vmm.ts";
import { isNotCreated } from "./wait_for.ts";

/** What {@linkcode waitForEvent} takes besides what to wait for. */
export interface WaitForEventOptions extends WaitOptions {
  /**
   * Whether events that came before the call count.
   *
   * Default: `"now"`.
   */
  readonly from?: "start" | "now" | undefined;
}

/** Which event is meant; what is left out may be anything. */
export interface EventPattern {
  /** Who reports it, as `vm`. */
  readonly source?: KnownEvent["source"];
  /** What happened, as `booted`. */
  readonly event?: KnownEvent["event"];
}

/** The events that a pattern fits. */
export type EventMatching<P extends EventPattern> = Extract<KnownEvent, P>;

/**
 * Waits for the first event that fits a pattern or a test, and resolves to it.
 * From when on is settled by the call, so what the script does after it is not
 * missed.
 *
 * @throws {InvalidRequestError} `events` when the VMM has no event monitor.
 * @throws {VmmExitedError} when the VMM ended without it.
 * @throws {ApiError} `not_created` when the VM was deleted, and only that one
 * would have reported the event.
 * @throws {DeadlineError} after `timeoutMs`.
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
  const fits = typeof wanted === "function" ? wanted : matcher(wanted);
  const scope = new AbortScope("an event", options);
  try {
    const { from = "now" } = options;
    const stream = events({ from, signal: scope.signal });
    for await (const event of stream) {
      if (fits(event)) return event;
      if (typeof wanted === "object" && isLastEvent(event, wanted)) {
        await checkCreated(client, scope.signal);
      }
    }
  } finally {
    scope.close();
  }
  throw await exitOf(exited, client.socketPath);
}

/** Why a VMM without a monitor does not do. */
export function noEventMonitor(field = "events"): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    field,
    "the VMM has no event monitor that is known: start it with spawnVmm, or give connectVmm its eventsPath",
  );
}

function matcher({ source, event }: EventPattern) {
  return (seen: VmmEvent): boolean =>
    (source === undefined || seen.source === source) &&
    (event === undefined || seen.event === event);
}

/** After its deletion, a VM reports nothing any more. */
function isLastEvent(seen: VmmEvent, { source, event }: EventPattern): boolean {
  return seen.source === "vm" && seen.event === "deleted" &&
    source !== undefined && source !== "vmm" &&
    (event === undefined || !STARTING_EVENTS.has(event));
}

/** What a VM reports that was not there before. */
const STARTING_EVENTS: ReadonlySet<string> = new Set([
  "booting",
  "booted",
  "restoring",
  "restored",
  "resuming",
  "resumed",
  "activated",
  "deleted",
  "migration-receive-ready",
  "migration-receive-started",
  "migration-receive-failed",
  "migration-receive-finished",
]);

/** @throws {ApiError} `not_created` unless there is a VM again. */
async function checkCreated(
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.vm.info({ signal });
  } catch (error) {
    if (isNotCreated(error)) throw error;
    // A VMM that is ending says so by its events.
  }
}

async function exitOf(
  exited: Vmm["exited"],
  socketPath: string,
): Promise<VmmExitedError> {
  const exit = await exited ?? { exitCode: null, signal: null, stderr: "" };
  return new VmmExitedError(exit, { socketPath });
}
