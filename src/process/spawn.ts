/** Starts a VMM that ends with the script. */
import { createClient } from "../client/create_client.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { createConsole, type GuestConsole } from "../guest/console/console.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { checkSpawnOptions, hasPayload } from "./check_options.ts";
import { type Child, launch } from "./child.ts";
import { commandLineOf } from "./command.ts";
import { spawnDetached } from "./detach.ts";
import { onScriptExit } from "./exit_hooks.ts";
import { BoundedFiles } from "./file_limits.ts";
import { orHasRun } from "./last_events.ts";
import { stopOnAbort } from "./lifetime.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { createOwnedClient } from "./owned_client.ts";
import { assertNoFileCapabilities } from "./parent_death.ts";
import { identify } from "../vmm/process_id.ts";
import { waitUntilReady, waitUntilVmStarted } from "./ready.ts";
import { readRecord, recordOf, recordSockets, writeRecord } from "./record.ts";
import { SocketCleaner } from "./socket_cleaner.ts";
import { VmmDirectory } from "./vmm_directory.ts";
import { createVmmProcess, type VmmProcess } from "./vmm_process.ts";

/**
 * Starts a VMM, and resolves when it answers. When the script ends, by an error,
 * `exit`, SIGINT, SIGTERM or SIGHUP, **the VMM and its guest are killed** and
 * their files and sockets are removed; for a graceful shutdown call `stop()`, or
 * set `onSignal`. Two ends leave the VMM running: SIGKILL without
 * `parentDeathSignal`, and a signal for which the script has no listener where
 * all handles have `onSignal: "ignore"`. `connectVmm` connects to such a VMM.
 *
 * A call through the handle's client rejects with a `VmmExitedError` when the
 * process has ended.
 *
 * @throws {VmmExitedError} when the VMM ended, or did not answer in time.
 * @throws {InvalidRequestError} with the option that is wrong: `command` when
 * the program cannot be run, `directory` when another VMM uses it.
 * @throws {ApiError} when the VM of `config` does not boot.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 *
 * const vmm = await spawnVmm({
 *   config: { payload: { kernel: "/boot/vmlinux" } },
 * });
 * try {
 *   await vmm.exited;
 * } finally {
 *   await vmm.stop();
 * }
 * ```
 */
export async function spawnVmm(
  options: SpawnVmmOptions = {},
): Promise<VmmProcess> {
  checkSpawnOptions(options);
  const { stopTimeoutMs = 30_000, signal } = options;
  signal?.throwIfAborted();
  if (options.detach) {
    return await spawnDetached({ ...options, directory: options.directory! });
  }
  let directory: VmmDirectory | undefined;
  const sockets = new SocketCleaner({
    onExpect: (paths) =>
      directory && recordSockets(directory.recordPath, paths),
  });
  let child: Child | undefined;
  let vmm: VmmProcess | undefined;
  const cleanUp = (): void => {
    child?.signal("SIGKILL");
    directory?.remove({ dying: child?.isRunning() ?? false });
    sockets.remove();
  };
  // Before anything is created: a signal can come at any moment.
  const removeHook = onScriptExit({
    onSignal: options.onSignal ?? "kill",
    cleanUp,
    async stop() {
      if (vmm === undefined) cleanUp();
      else await vmm.stop({ timeoutMs: stopTimeoutMs });
    },
  });
  try {
    directory = options.directory === undefined
      ? VmmDirectory.createPrivate()
      : await VmmDirectory.open(options.directory);
    const line = commandLineOf(options, directory);
    const files = new BoundedFiles(directory.stderrPath, directory.eventsPath);
    const { recordPath } = directory;
    const record = recordOf(line, directory);
    // Before the start, since SIGKILL may end the script at any time.
    writeRecord(recordPath, record);
    sockets.expectFlags(line);
    const onStart = (started: Child): void => {
      child = started;
      const recorded = readRecord(recordPath) ?? record;
      writeRecord(recordPath, { ...recorded, ...identify(started.pid) });
      files.start();
      void started.exited.then(() => {
        files.stop();
        sockets.remove();
      });
    };
    child = await launch(line, options, directory, files, onStart);
    const plain = createClient(directory.socketPath, options.client);
    const { eventsPath } = directory;
    await orHasRun(waitUntilReady(child, plain, options), eventsPath);
    if (options.parentDeathSignal) assertNoFileCapabilities(child.pid);
    const onEnd = (): void => {
      directory?.remove();
      removeHook();
    };
    const client = createOwnedClient(plain, child, sockets);
    const { exited } = child;
    const console = options.console
      ? createConsole({ client, exited })
      : undefined;
    const parts = {
      child,
      client,
      plain,
      directory,
      rules: options,
      files,
      stopTimeoutMs,
      console,
      onEnd,
    };
    vmm = createVmmProcess(parts);
    await boot(vmm, configOf(options, directory), eventsPath, signal);
    if (hasPayload(options)) {
      await orHasRun(waitUntilVmStarted(vmm, options), eventsPath);
    }
    signal?.throwIfAborted();
    if (signal) stopOnAbort(vmm, signal, stopTimeoutMs);
    return vmm;
  } catch (error) {
    child?.signal("SIGKILL");
    await child?.exited;
    // A second start in one directory must not remove the first one's files.
    if (await directory?.isTaken()) directory?.detach();
    else directory?.remove();
    removeHook();
    throw error;
  }
}

async function boot(
  { client: { vm }, console }: VmmProcess,
  config: VmConfig | undefined,
  eventsPath: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (config === undefined) return;
  const call = signal && { signal };
  await vm.create(config, call);
  if (console) await connected(console, signal);
  await orHasRun(vm.boot(call), eventsPath);
}

/** Waits for the console, so that nothing of the boot is missed. */
async function connected(
  console: GuestConsole,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scope = new AbortScope({ signal });
  try {
    await scope.race(console.connected);
  } finally {
    scope.close();
  }
}

/**
 * The flag `--landlock` needs a VM on the command line; the configuration
 * confines the VMM as well.
 */
function configOf(
  { config, landlock, console, onPanic }: SpawnVmmOptions,
  { serialPath }: VmmDirectory,
): VmConfig | undefined {
  return config && {
    ...console && { serial: { mode: "Socket", socket: serialPath } },
    ...onPanic === "end" && { pvpanic: true },
    ...config,
    ...landlock && { landlock_enable: true },
  };
}
