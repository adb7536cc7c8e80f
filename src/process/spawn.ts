/** A VMM of the script's own. */
import { existsSync } from "node:fs";
import { type Client, createClient } from "../client/create_client.ts";
import { checkDeadline } from "../wait/deadline.ts";
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import { readEvents } from "../events/mod.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import type { EventReader, Vmm } from "../vmm/vmm.ts";
import { waitForVmm } from "../vmm/wait_for.ts";
import { type Child, launch } from "./child.ts";
import { commandLineOf, configOf, type SpawnVmmOptions } from "./options.ts";
import { onScriptExit } from "./exit_hooks.ts";
import { VmmDirectory } from "./vmm_directory.ts";
import { createStop, type StopOptions, type StopResult } from "./stop.ts";

/** A VMM of the script's own; made by {@linkcode spawnVmm}. */
export interface VmmProcess extends Vmm {
  /** Its client. */
  readonly client: Client;
  /** The process; of a command that starts another one, the first. */
  readonly pid: number;
  /** The API socket, absolute. */
  readonly socketPath: string;
  /**
   * Where its files are, absolute. A private one is there until `stop()`,
   * `kill()`, the disposal or the end of the script, also after the VMM's own
   * end.
   */
  readonly directory: string;
  /**
   * Resolves when the process has ended, and never rejects. While the process
   * runs, it keeps the script alive.
   */
  readonly exited: Promise<VmmExit>;
  /** Its events; they end with the process. */
  readonly events: EventReader;
  /**
   * Ends the VMM: by the guest's power button, then `vm.shutdown`,
   * `vmm.shutdown`, SIGTERM and SIGKILL, each with its share of the time. Two
   * calls at once share one outcome.
   *
   * @throws {DeadlineError} when not even SIGKILL ended it in time.
   */
  stop(options?: StopOptions): Promise<StopResult>;
  /** Ends the VMM by SIGKILL, and resolves when it has ended. */
  kill(): Promise<VmmExit>;
  /** Stops the VMM, within `stopTimeoutMs`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a VMM, and resolves when it answers. The VMM ends with the script,
 * however that ends, and leaves nothing behind; only a script that is ended by
 * SIGKILL leaves its VMM running, for `connectVmm`.
 *
 * @throws {VmmExitedError} when it ended, or did not answer in time.
 * @throws {InvalidRequestError} `command` when it cannot be run, `directory`
 * when a VMM lives in it.
 * @throws {ApiError} when the VM of `config` does not boot.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 *
 * await using vmm = await spawnVmm();
 * await vmm.client.vm.create({ payload: { kernel: "/boot/vmlinux" } });
 * await vmm.client.vm.boot();
 * await vmm.exited;
 * ```
 */
export async function spawnVmm(
  options: SpawnVmmOptions = {},
): Promise<VmmProcess> {
  for (const name of ["timeoutMs", "stopTimeoutMs"] as const) {
    if (options[name] !== undefined) checkDeadline(name, options[name]);
  }
  options.signal?.throwIfAborted();
  let place: VmmDirectory | undefined;
  let child: Child | undefined;
  // Owned before anything is made: a signal may come at any moment.
  const disown = onScriptExit(() => {
    child?.signal("SIGKILL");
    place?.remove({ dying: child?.running() ?? false });
  }, options.handleSignals ?? true);
  try {
    place = options.directory === undefined
      ? VmmDirectory.createPrivate()
      : await VmmDirectory.open(options.directory);
    return await start(place, options, {
      started: (own) => child = own,
      end() {
        place?.remove();
        disown();
      },
    });
  } catch (error) {
    child?.signal("SIGKILL");
    await child?.exited;
    // A second start in the same directory must not take the first's files.
    if (await place?.isTaken()) place?.detach();
    else place?.remove();
    disown();
    throw error;
  }
}

/** Who is told of what becomes of a start. */
interface Owner {
  started(child: Child): void;
  end(): void;
}

async function start(
  place: VmmDirectory,
  options: SpawnVmmOptions,
  { started, end }: Owner,
): Promise<VmmProcess> {
  const { timeoutMs = 30_000, stopTimeoutMs = 30_000, signal } = options;
  const line = commandLineOf(options, place);
  const child = await launch(line, options, place, started);
  const client = createClient(place.socketPath, options.client);
  await ready(child, client, place, { timeoutMs, signal });
  const handle = handleOf(child, client, place, stopTimeoutMs, end);
  const config = configOf(options);
  if (config) {
    const call = signal && { signal };
    await client.vm.create(config, call);
    await client.vm.boot(call);
  }
  return handle;
}

/** Resolves when the VMM answers. */
async function ready(
  child: Child,
  client: Client,
  place: VmmDirectory,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<void> {
  const { exited } = child;
  const scope = new AbortScope(
    "the VMM to answer",
    { timeoutMs, signal },
    exited,
  );
  try {
    // The first call loads what calls need, while the VMM starts.
    const first = client.vmm.ping({ signal: scope.signal });
    first.catch(() => {});
    let ms = 1;
    while (!existsSync(place.socketPath)) {
      await scope.pause(ms);
      ms = Math.min(ms * 1.1, 50);
    }
    await waitForVmm({ client, exited }, { signal: scope.signal });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    child.signal("SIGKILL");
    const { socketPath } = place;
    throw new VmmExitedError(await exited, { socketPath, cause: error });
  } finally {
    scope.close();
  }
}

function handleOf(
  child: Child,
  client: Client,
  place: VmmDirectory,
  stopTimeoutMs: number,
  end: () => void,
): VmmProcess {
  const { pid, exited } = child;
  const events: EventReader = (options) =>
    readEvents(place.eventsPath, { ended: exited, ...options });
  const signal = (name: "SIGTERM" | "SIGKILL"): void => child.signal(name);
  const stop = createStop({ client, events, exited, signal }, end);
  return {
    client,
    pid,
    socketPath: place.socketPath,
    directory: place.directory,
    exited,
    events,
    stop,
    async kill() {
      child.signal("SIGKILL");
      const exit = await exited;
      end();
      return exit;
    },
    async [Symbol.asyncDispose]() {
      await stop({ timeoutMs: stopTimeoutMs });
      client.close();
    },
  };
}
