/** Finds the VMM that lives in a directory. */
import { existsSync } from "node:fs";
import type { Client } from "../client/create_client.ts";
import type { ConnectionError } from "../errors/errors.ts";
import { isGone } from "../vmm/wait_for_exit.ts";
import type { AbortScope } from "../wait/abort_scope.ts";
import type { Child } from "./child.ts";
import { socketArgument } from "./command.ts";
import type { BoundedFiles } from "./file_limits.ts";
import { createAdoptedChild } from "./lasting_child.ts";
import {
  canReadProc,
  hasArgument,
  identify,
  processesWith,
  type ProcessId,
  runs,
} from "../vmm/process_id.ts";
import { isClaim, readRecord, type VmmRecord } from "./record.ts";
import { directoryInUse, type VmmDirectory } from "./vmm_directory.ts";

/**
 * Resolves to the process of the VMM when it listens on its socket, or to
 * undefined if no VMM lives in the directory.
 *
 * @throws {InvalidRequestError} `directory` when another program uses it.
 */
export async function findVmm(
  directory: VmmDirectory,
  client: Client,
  files: BoundedFiles,
  scope: AbortScope,
): Promise<Child | undefined> {
  const record = readRecord(directory.recordPath);
  const id = await findProcess(record, client, scope);
  if (id === undefined) return undefined;
  if (id === "unknown") {
    throw directoryInUse(directory.path, "a program that does not answer");
  }
  const child = createAdoptedChild(id, client, files);
  while (child.isRunning()) {
    if (await ask(client, scope) !== "gone") return child;
    await scope.pause(ASK_MS);
  }
  return undefined;
}

/**
 * The identity of the process that lives in the directory; `unknown` if a
 * program that is not recorded listens on the socket and does not answer.
 */
export async function findProcess(
  record: VmmRecord | undefined,
  client: Client,
  scope: AbortScope,
): Promise<ProcessId | "unknown" | undefined> {
  const recorded = record && recordedId(record, client.socketPath);
  if (recorded && runs(recorded)) return recorded;
  // The script may have died when the VMM had started and was not recorded.
  const isStarting = record !== undefined && record.pid === undefined &&
    !isClaim(record);
  const waitMs = isStarting ? (canReadProc() ? EXEC_MS : START_MS) : 0;
  for (const start = performance.now();;) {
    const found = findByArgument(client.socketPath);
    if (found) return found;
    const answer = await ask(client, scope);
    if (answer === "busy") return recorded ?? "unknown";
    if (answer !== "gone") return verified(answer, client.socketPath);
    if (performance.now() - start >= waitMs) return undefined;
    await scope.pause(ASK_MS);
  }
}

/** A script that could not read the start time recorded only the pid. */
function recordedId(
  { pid, startTime, bootId }: VmmRecord,
  socketPath: string,
): ProcessId | undefined {
  if (pid === undefined) return undefined;
  return startTime === undefined
    ? verified(pid, socketPath)
    : { pid, startTime, bootId };
}

/** The identity of a process, if it was started with the socket. */
function verified(pid: number, socketPath: string): ProcessId {
  const isOwn = canReadProc() && hasArgument(pid, socketArgument(socketPath));
  return isOwn ? identify(pid) : { pid };
}

function findByArgument(socketPath: string): ProcessId | undefined {
  if (!canReadProc()) return undefined;
  const [pid] = processesWith(socketArgument(socketPath));
  return pid === undefined ? undefined : identify(pid);
}

/** The pid of the VMM that answers, in its own namespace. */
async function ask(
  { vmm, socketPath }: Client,
  scope: AbortScope,
): Promise<number | "gone" | "busy"> {
  try {
    const { pid } = await vmm.ping({
      signal: scope.signal,
      timeoutMs: ANSWER_MS,
    });
    return pid === undefined ? "busy" : Number(pid);
  } catch (error) {
    scope.signal.throwIfAborted();
    if (isGone(error)) return "gone";
    const { code } = error as ConnectionError;
    const isDenied = code === "permission_denied" ||
      code === "runtime_permission";
    if (isDenied) throw error;
    // On an overloaded host, a deadline can come before the error.
    return existsSync(socketPath) ? "busy" : "gone";
  }
}

const ASK_MS = 25;
/** A VMM that does not answer for longer is busy, and lives. */
const ANSWER_MS = 2000;
/** The time from the start of a process until it has its own arguments. */
const EXEC_MS = 200;
/** The time until a VMM listens. */
const START_MS = 5000;
