/**
 * The event monitor of a VMM as an async iterable: the records that
 * `--event-monitor path=<file>` writes, from the beginning, from now on or from
 * an earlier position.
 *
 * In Deno it needs `--allow-read=<file>`.
 *
 * @example
 * ```ts
 * import { readEvents } from "@chv/cloud-hypervisor/events";
 *
 * for await (const event of readEvents("/run/vm0/events")) {
 *   if (event.source === "vm" && event.event === "device-removed") {
 *     console.log(event.properties.id);
 *   }
 * }
 * ```
 *
 * @module
 */
export type {
  EventPosition,
  EventReader,
  ReadEventsOptions,
  UnlistedEvent,
  UnreadableEvent,
  VmmEvent,
} from "./event.ts";
export { type EventInput, readEvents } from "./read.ts";
export {
  type FailedEvent,
  type MergedEvent,
  mergeEvents,
  type MergeEventsOptions,
  type NamedEvents,
} from "./merge.ts";
export type { KnownEvent } from "../generated/events.gen.ts";
export type { MonitorEvent } from "../generated_support/monitor_event.ts";
