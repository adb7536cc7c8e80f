/** Connects to a VMM that another program started. */
import { checkPath } from "../arguments/path.ts";
import { type Client, createClient } from "../client/create_client.ts";
import type { CreateClientOptions } from "../client/create_client.ts";
import type { EventReader } from "../events/event.ts";
import { createEventReader } from "../events/shared_reader.ts";
import { watchEnd } from "../vmm/end_watch.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { createStop, type StopOptions, type StopResult } from "./stop.ts";

/** Options of {@linkcode connectVmm}. */
export interface ConnectVmmOptions {
  /** The file or the named pipe of the VMM's `--event-monitor path=`. */
  readonly eventsPath?: string;
  /** Options of the handle's client. */
  readonly client?: CreateClientOptions;
}

/**
 * The handle of a VMM that another program started; {@linkcode connectVmm}
 * creates it. The exit code of such a VMM is unknown, and the library sends no
 * signal to it.
 */
export interface ConnectedVmm extends Vmm {
  /** The client of the VMM. */
  readonly client: Client;
  /** The absolute path of the API socket. */
  readonly socketPath: string;
  /**
   * Reads the VMM's events, which end with the VMM, also after SIGKILL. All
   * readers and waits of the handle share one reader of a named pipe. Undefined
   * without `eventsPath`.
   */
  readonly events: EventReader | undefined;
  /**
   * Ends the VMM: by the guest's power button, then by `vm.shutdown` and
   * `vmm.shutdown`. Two calls at once share one outcome.
   *
   * @throws {DeadlineError} when the VMM did not end in time.
   */
  stop(options?: StopOptions): Promise<StopResult>;
  /** Closes the client; the VMM goes on. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a handle of a VMM that another program started, such as systemd or
 * an earlier script. It does not connect yet: use `waitForVmm` to learn whether
 * the VMM answers.
 *
 * @throws {InvalidRequestError} when `socketPath` is not a valid path.
 *
 * @example
 * ```ts
 * import { connectVmm } from "@chv/cloud-hypervisor/process";
 *
 * const vmm = await connectVmm("/run/vm0/api.sock", {
 *   eventsPath: "/run/vm0/events",
 * });
 * const { step } = await vmm.stop({ timeoutMs: 60_000 });
 * console.log(step); // power-button, where the guest obeyed
 * ```
 */
// deno-lint-ignore require-await
export async function connectVmm(
  socketPath: string,
  { eventsPath, client: clientOptions }: ConnectVmmOptions = {},
): Promise<ConnectedVmm> {
  const client = createClient(socketPath, clientOptions);
  const reader = eventsPath === undefined
    ? undefined
    : createEventReader(checkPath("eventsPath", eventsPath), {
      watch: () => watchEnd(client),
    });
  const events = reader?.events;
  return {
    client,
    socketPath: client.socketPath,
    events,
    stop: createStop({ client, events }),
    [Symbol.asyncDispose]() {
      client.close();
      reader?.close();
      return Promise.resolve();
    },
  };
}
