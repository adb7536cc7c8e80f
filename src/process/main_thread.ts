/** Tells a worker from the main thread, on each runtime. */
import { isMainThread } from "node:worker_threads";

/** True in a worker, whose end no hook of the process reports. */
export function isWorker(): boolean {
  const { WorkerGlobalScope } = globalThis as {
    WorkerGlobalScope?: new () => unknown;
  };
  // A Deno worker reports isMainThread.
  return !isMainThread ||
    WorkerGlobalScope !== undefined && globalThis instanceof WorkerGlobalScope;
}
