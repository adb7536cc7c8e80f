/** Starts a VMM that outlives the script, or adopts the running VMM. */
import { existsSync, rmdirSync } from "node:fs";
import { createClient } from "../client/create_client.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { goalTimedOut } from "../vmm/goal.ts";
import { pollUntil } from "../vmm/poll.ts";
import { infoOf } from "../vmm/vm_info.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { hasPayload } from "./check_options.ts";
import { type Child, launch } from "./child.ts";
import { commandLineOf } from "./command.ts";
import { type DirectoryLock, lockDirectory } from "./directory_lock.ts";
import { BoundedFiles } from "./file_limits.ts";
import { findVmm } from "./find_vmm.ts";
import { orHasRun } from "./last_events.ts";
import { toLastingChild } from "./lasting_child.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { createOwnedClient } from "./owned_client.ts";
import { identify, type ProcessId } from "../vmm/process_id.ts";
import { waitUntilReady, waitUntilVmStarted } from "./ready.ts";
import {
  claimDirectory,
  isClaim,
  readRecord,
  recordOf,
  recordSockets,
  removeFile,
  type VmmRecord,
  writeRecord,
} from "./record.ts";
import { SocketCleaner } from "./socket_cleaner.ts";
import { VmmDirectory } from "./vmm_directory.ts";
import { createVmmProcess, type VmmProcess } from "./vmm_process.ts";

/** `spawnVmm` with `detach`; the options are checked. */
export async function spawnDetached(
  options: SpawnVmmOptions & { readonly directory: string },
): Promise<VmmProcess> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  const directory = VmmDirectory.shared(options.directory);
  const { socketPath, recordPath } = directory;
  const goal = { subject: "VMM", unmet: "was not adopted or started" } as const;
  const scope = new AbortScope(
    { timeoutMs, signal },
    (ms) => goalTimedOut(goal, ms, socketPath),
  );
  let lock: DirectoryLock | undefined;
  let isStarting = false;
  let isDone = false;
  let launched: Child | undefined;
  let ownsDirectory = false;
  try {
    const create = (): void => {
      if (!directory.create()) return;
      ownsDirectory = true;
      // At once, so that the next script removes the directory if this one dies.
      claimDirectory(recordPath, recordOf([], directory, true));
    };
    lock = await lockDirectory(directory.path, create, scope);
    const before = readRecord(recordPath);
    ownsDirectory ||= before?.ownsDirectory ?? false;
    const plain = createClient(socketPath, options.client);
    const files = new BoundedFiles(directory.stderrPath, directory.eventsPath);
    let child = await findVmm(directory, plain, files, scope);
    if (child === undefined) {
      clean(directory, before);
      isStarting = true;
      const onStart = (started: Child): void => void (launched = started);
      child = await start(options, directory, files, ownsDirectory, onStart);
      const ready = waitUntilReady(child, plain, options);
      await orHasRun(ready, directory.eventsPath);
      child = toLastingChild(child, readRecord(recordPath) as ProcessId);
    } else if (before?.pid !== child.pid) {
      // Its script died before it could record the VMM.
      const record = before ?? recordOf([], directory, ownsDirectory);
      writeRecord(recordPath, { ...record, ...identify(child.pid) });
    }
    const record = readRecord(recordPath);
    const sockets = new SocketCleaner({
      ...record && { cwd: record.cwd, sockets: record.sockets },
      onExpect: (paths) => recordSockets(recordPath, paths),
    });
    const { pid } = child;
    const vmm = createVmmProcess({
      child,
      client: createOwnedClient(plain, child, sockets),
      plain,
      directory,
      rules: {},
      files,
      stopTimeoutMs: DEFAULT_TIMEOUT_MS,
      console: undefined,
      isDetached: true,
      onEnd: () => cleanAfter(pid, directory),
    });
    await orHasRun(boot(vmm, options), directory.eventsPath);
    if (hasPayload(options)) {
      const started = waitUntilVmStarted(vmm, options);
      await orHasRun(started, directory.eventsPath);
    }
    files.start();
    isDone = true;
    return vmm;
  } catch (error) {
    if (isStarting) {
      launched?.signal("SIGKILL");
      await launched?.exited;
      clean(directory, readRecord(recordPath));
    } else if (lock) removeClaim(recordPath);
    throw error;
  } finally {
    scope.close();
    lock?.release();
    if (!isDone && ownsDirectory) removeEmpty(directory);
  }
}

/** Records the start before it happens, since the script may die at any time. */
async function start(
  options: SpawnVmmOptions,
  directory: VmmDirectory,
  files: BoundedFiles,
  ownsDirectory: boolean,
  onStart: (child: Child) => void,
): Promise<Child> {
  const { recordPath } = directory;
  const command = commandLineOf(options, directory);
  const record = recordOf(command, directory, ownsDirectory);
  writeRecord(recordPath, record);
  const sockets = new SocketCleaner({
    onExpect: (paths) => recordSockets(recordPath, paths),
  });
  sockets.expectFlags(command);
  return await launch(command, options, directory, files, (child) => {
    onStart(child);
    const { sockets = [] } = readRecord(recordPath) ?? {};
    writeRecord(recordPath, { ...record, sockets, ...identify(child.pid) });
  });
}

/**
 * Creates and boots the VM of `config`, unless it was booted. A VM that was not
 * is created anew: after a failed boot, another one may start it without disks.
 */
async function boot(
  vmm: VmmProcess,
  { config, landlock, signal, timeoutMs }: SpawnVmmOptions,
): Promise<void> {
  if (config === undefined) return;
  const { vm } = vmm.client;
  const { info } = await pollUntil(vmm, {
    goal: { subject: "VMM", unmet: "does not answer" },
    probe: async (signal) => ({ info: await infoOf(vm, { signal }) }),
  }, { signal, timeoutMs });
  if (info !== undefined && info.state !== "Created") return;
  const call = signal && { signal };
  if (info) await vm.delete(call);
  const body: VmConfig = {
    ...config,
    ...landlock && { landlock_enable: true },
  };
  await vm.create(body, call);
  await vm.boot(call);
}

/** Removes the files of a VMM that has ended, unless a new one has them. */
async function cleanAfter(pid: number, directory: VmmDirectory): Promise<void> {
  const scope = new AbortScope({ timeoutMs: CLEAN_MS });
  try {
    const assertExists = (): void => {
      if (!existsSync(directory.path)) scope.abort(undefined);
      scope.signal.throwIfAborted();
    };
    const lock = await lockDirectory(directory.path, assertExists, scope);
    const record = readRecord(directory.recordPath);
    if (record?.pid === pid) clean(directory, record);
    lock.release();
    if (record?.pid === pid && record.ownsDirectory) removeEmpty(directory);
  } catch {
    // The next script that uses the directory cleans it.
  } finally {
    scope.close();
  }
}

function clean(directory: VmmDirectory, record: VmmRecord | undefined): void {
  new SocketCleaner({ sockets: record?.sockets ?? [] }).remove();
  directory.removeFiles();
}

/** Removes the record of a directory in which no VMM was started. */
function removeClaim(recordPath: string): void {
  const record = readRecord(recordPath);
  if (record && isClaim(record)) removeFile(recordPath);
}

/** Files of the user, and other scripts that use the directory, keep it. */
function removeEmpty({ path }: VmmDirectory): void {
  try {
    rmdirSync(path);
  } catch {
    // It is not empty, or is gone.
  }
}

const DEFAULT_TIMEOUT_MS = 30_000;
const CLEAN_MS = 5000;
