/** The events that a wait accepts, and the end of the wait for them. */
import { InvalidRequestError } from "../errors/errors.ts";
import type { KnownEvent, VmmEvent } from "../events/mod.ts";

/** A pattern for events; a field that is left out matches every event. */
export interface EventPattern {
  /** The part that reports the event, such as `vm`. */
  readonly source?: KnownEvent["source"];
  /** The kind of the event, such as `booted`. */
  readonly event?: KnownEvent["event"];
}

/** The events that a pattern matches. */
export type EventMatching<P extends EventPattern> = Extract<VmmEvent, P>;

/** Tells whether the pattern matches the event. */
export function matches(pattern: EventPattern, event: VmmEvent): boolean {
  return (pattern.source === undefined || event.source === pattern.source) &&
    (pattern.event === undefined || event.event === pattern.event);
}

/**
 * Tells whether the VM was deleted, and the wanted event could only come from
 * that VM.
 */
export function isLastChance(
  pattern: EventPattern,
  { source, event }: VmmEvent,
): boolean {
  return source === "vm" && event === "deleted" &&
    pattern.source !== undefined && pattern.source !== "vmm" &&
    (pattern.event === undefined || !FIRST_EVENTS.has(pattern.event));
}

/** The error for a VMM whose events cannot be read. */
export function noEventMonitor(field = "events"): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    field,
    "no event monitor is configured for this VMM; start it with spawnVmm, or pass eventsPath to connectVmm",
  );
}

/** The events that the next VM of the same VMM reports. */
const FIRST_EVENTS: ReadonlySet<string> = new Set([
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
