/** A VMM that something else started. */
import { type Client, createClient } from "../client/create_client.ts";
import type { CreateClientOptions } from "../client/create_client.ts";
import { readEvents } from "../events/mod.ts";
import type { EventReader, Vmm } from "../vmm/vmm.ts";
import { createStop, type StopOptions, type StopResult } from "./stop.ts";

/** What `connectVmm` takes besides the socket. */
export interface ConnectVmmOptions {
  /** The file of its `--event-monitor path=`. */
  readonly eventsPath?: string;
  /** For the handle's client. */
  readonly client?: CreateClientOptions;
}

/**
 * A VMM that something else started; made by {@linkcode connectVmm}. How its
 * process ends cannot be known, and it is never signalled.
 */
export interface ConnectedVmm extends Vmm {
  /** Its client. */
  readonly client: Client;
  /** The API socket, absolute. */
  readonly socketPath: string;
  /** Its events, if its monitor's file was given. */
  readonly events: EventReader | undefined;
  /**
   * Ends the VMM, from the power button to `vmm.shutdown`. Two calls at once
   * share one outcome.
   *
   * @throws {DeadlineError} when it did not end in time.
   */
  stop(options?: StopOptions): Promise<StopResult>;
  /** Closes the client; the VMM goes on. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a handle of a VMM that something else started, as systemd or an earlier
 * script. It opens nothing: `waitForVmm` tells whether it is there.
 *
 * @throws {InvalidRequestError} as `createClient`.
 *
 * @example
 * ```ts
 * import { connectVmm } from "@chv/cloud-hypervisor/process";
 *
 * const vmm = connectVmm("/run/vm0/api.sock", { eventsPath: "/run/vm0/events" });
 * const { step } = await vmm.stop({ timeoutMs: 60_000 });
 * console.log(step); // power-button, where the guest obeyed
 * ```
 */
export function connectVmm(
  socketPath: string,
  { eventsPath, client: clientOptions }: ConnectVmmOptions = {},
): ConnectedVmm {
  const client = createClient(socketPath, clientOptions);
  const events: EventReader | undefined = eventsPath === undefined
    ? undefined
    : (options) => readEvents(eventsPath, options);
  return {
    client,
    socketPath: client.socketPath,
    events,
    stop: createStop({ client, events }),
    [Symbol.asyncDispose]() {
      client.close();
      return Promise.resolve();
    },
  };
}
