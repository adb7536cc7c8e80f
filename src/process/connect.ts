/** Connects to a VMM that another program started. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import { type Client, createClient } from "../client/create_client.ts";
import type { CreateClientOptions } from "../client/create_client.ts";
import type { VmmExit } from "../errors/errors.ts";
import type { EventReader } from "../events/event.ts";
import { createEventReader } from "../events/shared_reader.ts";
import { noteEndRequest } from "../vmm/end_request.ts";
import { watchEnd } from "../vmm/end_watch.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import type { Child } from "./child.ts";
import { BoundedFiles } from "./file_limits.ts";
import { findProcess } from "./find_vmm.ts";
import { createAdoptedChild } from "./lasting_child.ts";
import { readRecord } from "./record.ts";
import type { VmmReference } from "./reference.ts";
import { createStop, type StopOptions, type StopResult } from "./stop.ts";
import { VmmDirectory } from "./vmm_directory.ts";

/** Options of {@linkcode connectVmm}. */
export interface ConnectVmmOptions {
  /** The file or the named pipe of the VMM's `--event-monitor path=`. */
  readonly eventsPath?: string;
  /** Options of the handle's client. */
  readonly client?: CreateClientOptions;
}

/**
 * The handle of a VMM that another program started; {@linkcode connectVmm}
 * creates it. The exit code of such a VMM is unknown. The library sends a
 * signal only to a VMM that `spawnVmm` started, by `kill()` or as a last step
 * of `stop()`, and only if the start time of the process is the recorded start
 * time.
 */
export interface ConnectedVmm extends Vmm {
  /** The client of the VMM. */
  readonly client: Client;
  /** The absolute path of the API socket. */
  readonly socketPath: string;
  /** The directory of the VMM; undefined if only its socket is known. */
  readonly directory?: string;
  /**
   * The process id, as `spawnVmm` recorded it in the directory. Undefined
   * without a directory, or if no VMM lives in it.
   */
  readonly pid?: number;
  /**
   * Resolves when the process has ended; the exit code is unknown. Undefined
   * without `pid`. The promise keeps a script alive only while it is awaited.
   */
  readonly exited?: Promise<VmmExit>;
  /**
   * Ends the VMM by SIGKILL, and resolves when the process has ended. Undefined
   * without `pid`.
   *
   * @throws {InvalidRequestError} `pid` when the start time of the process
   * cannot be compared, such as in Deno without `-A`; nothing is signalled.
   */
  kill?(): Promise<VmmExit>;
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
  /** The reference from which `connectVmm` creates a handle. */
  toJSON(): VmmReference;
}

/**
 * Creates a handle of a VMM that another program started, such as systemd or
 * an earlier script. The VMM is given by the path of its socket, by the
 * directory in which `spawnVmm` started it, or by the `toJSON()` of another
 * handle. With a directory, the handle has `events`, `pid`, `kill` and `exited`.
 *
 * A VMM that is given by its socket is not contacted yet: use `waitForVmm` to
 * learn whether it answers.
 *
 * @throws {InvalidRequestError} `socketPath`, `eventsPath` or `directory` when
 * it is not a valid path.
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
export async function connectVmm(
  target: string | VmmReference,
  { eventsPath: givenEvents, client: clientOptions }: ConnectVmmOptions = {},
): Promise<ConnectedVmm> {
  const reference = typeof target === "string" ? referenceOf(target) : target;
  const { socketPath, directory } = reference;
  const eventsPath = givenEvents ?? reference.eventsPath;
  if (eventsPath !== undefined) checkPath("eventsPath", eventsPath);
  const client = createClient(socketPath, clientOptions);
  const child = directory === undefined
    ? undefined
    : await findChild(checkPath("directory", directory), client);
  const exited = child?.exited;
  const reader = eventsPath === undefined ? undefined : createEventReader(
    eventsPath,
    exited ? { ended: exited } : { watch: () => watchEnd(client) },
  );
  const events = reader?.events;
  const signal = child?.canSignal ? child.signal : undefined;
  return {
    client,
    socketPath: client.socketPath,
    events,
    stop: createStop({ client, events, exited, ...signal && { signal } }),
    [Symbol.asyncDispose]() {
      client.close();
      reader?.close();
      return Promise.resolve();
    },
    toJSON: () => ({ socketPath: client.socketPath, eventsPath, directory }),
    ...directory !== undefined && { directory },
    ...child && {
      pid: child.pid,
      exited: child.exited,
      async kill() {
        noteEndRequest(client, "SIGKILL");
        child.signal("SIGKILL");
        return await child.exited;
      },
    },
  };
}

/** A path of a socket, or of a directory of `spawnVmm`. */
function referenceOf(path: string): VmmReference {
  // A missing path is that of a socket which will be there later.
  if (!isDirectory(path)) return { socketPath: path };
  const directory = resolve(path);
  const { socketPath, eventsPath } = new VmmDirectory(directory, "files");
  return { socketPath, eventsPath, directory };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    // Deno denies the access without a code.
    if ((error as Error).name === "NotCapable") throw error;
    return false;
  }
}

/** The VMM of the directory, if it lives. */
async function findChild(
  path: string,
  client: Client,
): Promise<Child | undefined> {
  const directory = new VmmDirectory(path, "files");
  const record = readRecord(directory.recordPath);
  const scope = new AbortScope({});
  try {
    const id = await findProcess(record, client, scope);
    if (id === undefined || id === "unknown") return undefined;
    const files = new BoundedFiles(directory.stderrPath, directory.eventsPath);
    return createAdoptedChild(id, client, files);
  } finally {
    scope.close();
  }
}
