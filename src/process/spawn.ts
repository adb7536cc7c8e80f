/** Starts a VMM that ends with the script. */
import { existsSync } from "node:fs";
import { type Client, createClient } from "../client/create_client.ts";
import { checkDeadline } from "../wait/deadline.ts";
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { goalTimedOut } from "../vmm/goal.ts";
import { waitForVmm } from "../vmm/wait_for.ts";
import { type Child, launch } from "./child.ts";
import { commandLineOf } from "./command.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { onScriptExit } from "./exit_hooks.ts";
import { VmmDirectory } from "./vmm_directory.ts";
import { createVmmProcess, type VmmProcess } from "./vmm_process.ts";

/**
 * Starts a VMM, and resolves when it answers. When the script ends, the VMM is
 * killed and its files are removed, however the script ends. Only SIGKILL of
 * the script leaves the VMM running; `connectVmm` connects to such a VMM.
 *
 * @throws {VmmExitedError} when the VMM ended, or did not answer in time.
 * @throws {InvalidRequestError} `command` when the program cannot be run,
 * `directory` when another VMM uses it.
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
  for (const name of ["timeoutMs", "stopTimeoutMs"] as const) {
    if (options[name] !== undefined) checkDeadline(name, options[name]);
  }
  const { stopTimeoutMs = 30_000, signal } = options;
  signal?.throwIfAborted();
  let directory: VmmDirectory | undefined;
  let child: Child | undefined;
  let vmm: VmmProcess | undefined;
  const cleanUp = (): void => {
    child?.signal("SIGKILL");
    directory?.remove({ dying: child?.isRunning() ?? false });
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
    const onStart = (started: Child) => child = started;
    child = await launch(line, options, directory, onStart);
    const client = createClient(directory.socketPath, options.client);
    await waitUntilReady(child, client, options);
    const onEnd = (): void => {
      directory?.remove();
      removeHook();
    };
    const parts = { child, client, directory, stopTimeoutMs, onEnd };
    vmm = createVmmProcess(parts);
    await boot(client, configOf(options), signal);
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
  { vm }: Client,
  config: VmConfig | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (config === undefined) return;
  const call = signal && { signal };
  await vm.create(config, call);
  await vm.boot(call);
}

function configOf(
  { config, landlock }: SpawnVmmOptions,
): VmConfig | undefined {
  return config && landlock ? { ...config, landlock_enable: true } : config;
}

/** Resolves when the VMM answers. */
async function waitUntilReady(
  child: Child,
  client: Client,
  { timeoutMs = 30_000, signal }: SpawnVmmOptions,
): Promise<void> {
  const { exited } = child;
  const { socketPath } = client;
  const goal = { subject: "VMM", unmet: "does not answer" } as const;
  const scope = new AbortScope(
    { timeoutMs, signal },
    (ms) => goalTimedOut(goal, ms, socketPath),
  );
  try {
    scope.abortOnSettled(
      exited,
      (exit: VmmExit) => new VmmExitedError(exit, { socketPath }),
    );
    // The first call loads the transport while the VMM starts.
    client.vmm.ping({ signal: scope.signal }).catch(() => {});
    let ms = 1;
    while (!existsSync(socketPath)) {
      await scope.pause(ms);
      ms = Math.min(ms * 1.1, 50);
    }
    await waitForVmm({ client, exited }, { signal: scope.signal });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    child.signal("SIGKILL");
    throw new VmmExitedError(await exited, { socketPath, cause: error });
  } finally {
    scope.close();
  }
}
