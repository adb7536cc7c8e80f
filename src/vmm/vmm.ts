/** The handle of a VMM, which waits, workflows and processes share. */
import type { Client } from "../client/create_client.ts";
import type { VmmExit } from "../errors/errors.ts";
import type { EventReader } from "../events/event.ts";
import type { VmEnd } from "./vm_end.ts";

/** A VMM; `spawnVmm` and `connectVmm` return one, and `{ client }` is one. */
export interface Vmm {
  /** The client of the VMM. */
  readonly client: Client;
  /** Reads the VMM's events. Undefined for a VMM without a known monitor. */
  readonly events?: EventReader | undefined;
  /**
   * Resolves when the process has ended. Undefined for a VMM that another
   * program started.
   */
  readonly exited?: Promise<VmmExit> | undefined;
  /**
   * Resolves to the cause of the end when the process has ended. Undefined
   * unless the script started the VMM; `waitForEnd` takes every VMM.
   */
  readonly ended?: Promise<VmEnd> | undefined;
  /** The directory with the VMM's files, where it has one. */
  readonly directory?: string | undefined;
  /** Ends the process at once. Undefined unless the script started the VMM. */
  kill?(): Promise<VmmExit>;
}

/** Options of every wait and workflow. */
export interface WaitOptions {
  /** When this signal aborts, the wait rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the wait rejects with a `DeadlineError`.
   *
   * Default: `Infinity`.
   */
  readonly timeoutMs?: number | undefined;
  /** The events of a VMM that is given as a client. */
  readonly events?: EventReader | undefined;
}

/** The handle itself, or a handle of the client. */
export function vmmOf(input: Client | Vmm, events?: EventReader): Vmm {
  const vmm = "client" in input ? input : { client: input };
  return events === undefined ? vmm : { ...vmm, events };
}
