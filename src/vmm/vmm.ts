/** What a sequence is given to work on. */
import type { Client } from "../client/create_client.ts";
import type { VmmExit } from "../errors/errors.ts";
import type { ReadEventsOptions, VmmEvent } from "../events/mod.ts";

/** Begins to read a VMM's events; `readEvents` with its source settled. */
export type EventReader = (
  options?: ReadEventsOptions,
) => AsyncIterable<VmmEvent>;

/** A VMM: `spawnVmm` and `connectVmm` make one, and so does `{ client }`. */
export interface Vmm {
  /** Its client. */
  readonly client: Client;
  /** Its events, where it has a monitor. */
  readonly events?: EventReader | undefined;
  /** Resolves when its process has ended, where that can be known. */
  readonly exited?: Promise<VmmExit> | undefined;
  /** Ends the process at once, where it is the script's own. */
  kill?(): Promise<VmmExit>;
}

/** What every wait and sequence takes. */
export interface WaitOptions {
  /** Gives up with the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which it gives up with a `DeadlineError`.
   *
   * Default: `Infinity`.
   */
  readonly timeoutMs?: number | undefined;
  /** The events of a VMM that is given as a client. */
  readonly events?: EventReader | undefined;
}

/** The VMM of a client or a handle. */
export function vmmOf(given: Client | Vmm, events?: EventReader): Vmm {
  const vmm = "client" in given ? given : { client: given };
  return events === undefined ? vmm : { ...vmm, events };
}
