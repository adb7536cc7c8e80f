/**
 * The event monitor of a VMM, as an async iterable: what
 * `--event-monitor path=<file>` writes, from its beginning or from now on.
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
  ReadEventsOptions,
  UnlistedEvent,
  UnreadableEvent,
  VmmEvent,
} from "./event.ts";
export { type EventInput, readEvents } from "./read.ts";
export type { MonitorEvent } from "../contract/monitor_event.ts";
export type { KnownEvent } from "../generated/events.gen.ts";
