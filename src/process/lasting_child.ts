/** Processes that outlive the script, and do not keep it alive. */
import process from "node:process";
import { setInterval } from "node:timers";
import type { Client } from "../client/create_client.ts";
import { InvalidRequestError, type VmmExit } from "../errors/errors.ts";
import { UNKNOWN_EXIT } from "../vmm/poll.ts";
import { isGone } from "../vmm/wait_for_exit.ts";
import { AwaitedPromise } from "./awaited_promise.ts";
import type { Child } from "./child.ts";
import type { BoundedFiles } from "./file_limits.ts";
import { canReadProc, type ProcessId, runs } from "../vmm/process_id.ts";

/**
 * The process of a VMM that another script started. Its exit code is unknown.
 * If processes cannot be compared, the VMM has ended when nobody listens on its
 * socket.
 */
export function createAdoptedChild(
  id: ProcessId,
  client: Client,
  files: BoundedFiles,
): Child {
  const { promise, resolve } = Promise.withResolvers<VmmExit>();
  const isComparable = id.startTime !== undefined && canReadProc();
  let isRunning = true;
  const end = (): void => {
    isRunning = false;
    clearInterval(timer);
    resolve({ ...UNKNOWN_EXIT, stderr: files.stderr() });
  };
  const check = isComparable
    ? () => runs(id) === false && end()
    : socketCheck(client, end);
  const timer = setInterval(check, isComparable ? PROC_MS : SOCKET_MS);
  const keepScript = (isKept: boolean): void =>
    void (isKept ? timer.ref() : timer.unref());
  return toLastingChild({
    pid: id.pid,
    exited: promise,
    isRunning: () => isRunning,
    keepScript,
    canSignal: isComparable,
    signal(name) {
      if (!isComparable) throw cannotSignal(id);
      if (runs(id)) kill(id.pid, name);
    },
  });
}

/**
 * The child, which keeps the script alive only while `exited` is awaited. If
 * `id` is given, another process with the same pid is never signalled.
 */
export function toLastingChild(child: Child, id?: ProcessId): Child {
  child.keepScript?.(false);
  const keep = (): void => child.keepScript?.(true);
  return {
    ...child,
    exited: new AwaitedPromise(child.exited, keep),
    signal(name) {
      if (id === undefined || runs(id) !== false) child.signal(name);
    },
  };
}

/** Calls `end` when nothing listened on the socket twice. */
function socketCheck({ vmm }: Client, end: () => void): () => void {
  let failures = 0;
  let isAsking = false;
  return () => {
    if (isAsking) return;
    isAsking = true;
    vmm.ping({ timeoutMs: SOCKET_MS }).then(
      () => failures = 0,
      (error) => failures = isGone(error) ? failures + 1 : 0,
    ).finally(() => {
      isAsking = false;
      if (failures > 1) end();
    });
  };
}

/** The process leads its group, unless another program started it. */
function kill(pid: number, name: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch {
      // It leads no group, or has ended.
    }
  }
}

/** The error for a process that may be another one by now. */
function cannotSignal({ pid }: ProcessId): InvalidRequestError {
  const reason = canReadProc()
    ? "the script that started the VMM could not record it"
    : "the runtime denies /proc; in Deno, run the script with -A";
  return new InvalidRequestError(
    "invalid_request",
    "pid",
    `process ${pid} got no signal, because its start time cannot be compared and it may be another program by now: ${reason}; or call stop()`,
  );
}

const PROC_MS = 100;
const SOCKET_MS = 1000;
