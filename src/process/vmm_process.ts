/** The handle of a VMM that the script started. */
import type { Client } from "../client/create_client.ts";
import type { VmmExit } from "../errors/errors.ts";
import type { GuestConsole } from "../guest/console/console.ts";
import type { EventReader } from "../events/event.ts";
import { createEventReader } from "../events/shared_reader.ts";
import { endRequestsOf, noteEndRequest } from "../vmm/end_request.ts";
import { endOf, type VmEnd } from "../vmm/vm_end.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { AwaitedPromise, whenSettled } from "./awaited_promise.ts";
import type { Child } from "./child.ts";
import type { BoundedFiles } from "./file_limits.ts";
import { readLastEvents } from "./last_events.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { registered } from "./registered_reader.ts";
import { endOnGuestEvents } from "./run_once.ts";
import { createStop, type StopOptions, type StopResult } from "./stop.ts";
import type { VmmReference } from "./reference.ts";
import type { VmmDirectory } from "./vmm_directory.ts";

/** The handle of a VMM that the script started; `spawnVmm` creates it. */
export interface VmmProcess extends Vmm {
  /** The client of the VMM. */
  readonly client: Client;
  /**
   * The process id of `command`. If `command` is a wrapper that starts the VMM,
   * this is the id of the wrapper.
   */
  readonly pid: number;
  /** The absolute path of the API socket. */
  readonly socketPath: string;
  /**
   * The absolute path of the directory with the VMM's files. Put sockets and
   * logs of the VM there, too. A private directory exists until `stop()`,
   * `kill()`, the disposal or the end of the script, also after the VMM has
   * ended.
   */
  readonly directory: string;
  /**
   * Resolves when the process has ended, and never rejects. The script does not
   * end by itself while the process runs; with `detach`, only while it awaits
   * this promise. The exit code of a VMM that an earlier script started is
   * unknown.
   */
  readonly exited: Promise<VmmExit>;
  /**
   * Resolves to the cause of the end and the side that ended the VM, at the
   * same time as `exited`, and never rejects.
   */
  readonly ended: Promise<VmEnd>;
  /**
   * Reads the VMM's events, which end with the process. The library empties the
   * file when it is 16 MiB long and all readers have read it. A reader that
   * later begins at `start` gets one `unreadable` event in place of the removed
   * events.
   */
  readonly events: EventReader;
  /** The serial port of the VM; undefined without `console: true`. */
  readonly console: GuestConsole | undefined;
  /**
   * The last 8 KiB of the VMM's stderr so far. The file is emptied when it has
   * more than 1 MiB.
   */
  stderr(): string;
  /**
   * Ends the VMM: by the guest's power button, then `vm.shutdown`,
   * `vmm.shutdown`, SIGTERM and SIGKILL, each with its share of the time. Two
   * calls at once share one outcome.
   *
   * @throws {DeadlineError} when not even SIGKILL ended the VMM in time.
   */
  stop(options?: StopOptions): Promise<StopResult>;
  /** Ends the VMM by SIGKILL, and resolves when the process has ended. */
  kill(): Promise<VmmExit>;
  /**
   * Stops the VMM, within `stopTimeoutMs`. With `detach`, it only closes the
   * client, and the VMM goes on.
   */
  [Symbol.asyncDispose](): Promise<void>;
  /** The reference from which `connectVmm` creates a handle. */
  toJSON(): VmmReference;
}

/** The parts of a handle. */
export interface VmmProcessParts {
  readonly child: Child;
  readonly client: Client;
  /** A client whose calls do not count as requests of the script. */
  readonly plain: Client;
  readonly directory: VmmDirectory;
  readonly rules: Pick<SpawnVmmOptions, "onReboot" | "onPanic">;
  readonly files: BoundedFiles;
  readonly stopTimeoutMs: number;
  readonly console: GuestConsole | undefined;
  /** True if the VMM outlives the script, and also the disposal. */
  readonly isDetached?: boolean;
  /** Called when the VMM was stopped or killed. */
  readonly onEnd: () => void | Promise<void>;
}

/** Creates the handle of a VMM that answers. */
export function createVmmProcess(
  {
    child,
    client,
    plain,
    directory,
    rules,
    files,
    stopTimeoutMs,
    console,
    isDetached = false,
    onEnd,
  }: VmmProcessParts,
): VmmProcess {
  const { pid, exited } = child;
  const reader = createEventReader(directory.eventsPath, { ended: exited });
  const events: EventReader = (options) =>
    registered(reader.events(options), files, options?.from);
  const rule = endOnGuestEvents({ child, client, plain, events, rules });
  // The first listener on the end: the directory may be removed afterwards.
  const ended = whenSettled(exited, (exit) =>
    endOf({
      exit,
      history: readLastEvents(directory.eventsPath),
      requests: endRequestsOf(client),
      rule: rule(),
    }));
  const keepScript = (): void => child.keepScript?.(true);
  const signal = (name: "SIGTERM" | "SIGKILL"): void => child.signal(name);
  const { canSignal = true } = child;
  const stop = createStop(
    { client, events, exited, ...canSignal && { signal } },
    onEnd,
  );
  return {
    client,
    pid,
    socketPath: directory.socketPath,
    directory: directory.path,
    exited,
    ended: isDetached ? new AwaitedPromise(ended, keepScript) : ended,
    events,
    stderr: () => files.stderr(),
    console,
    stop,
    async kill() {
      noteEndRequest(client, "SIGKILL");
      child.signal("SIGKILL");
      const exit = await exited;
      await onEnd();
      return exit;
    },
    async [Symbol.asyncDispose]() {
      if (!isDetached) await stop({ timeoutMs: stopTimeoutMs });
      files.stop();
      client.close();
    },
    toJSON: () => ({
      socketPath: directory.socketPath,
      eventsPath: directory.eventsPath,
      directory: directory.path,
    }),
  };
}
