/** Starts several VMMs and owns them as one. */
import { VmmGroupError, type VmmOutcome } from "./group_outcome.ts";
import {
  GroupMember,
  type GroupVmm,
  type GroupVmmOptions,
} from "./group_member.ts";
import type { StopOptions } from "./stop.ts";

/** Options of {@linkcode spawnVmms}. */
export interface SpawnVmmsOptions {
  /**
   * Ends the group. When this signal aborts during the start, the start rejects
   * with the signal's reason, and all VMMs are killed. When it aborts later,
   * all are stopped as by `stop()` of the group.
   */
  readonly signal?: AbortSignal;
}

/** Several VMMs that are started, stopped and reported as one. */
export interface VmmGroup {
  /** The VMMs, in the order of their options. */
  readonly vmms: readonly GroupVmm[];
  /**
   * Resolves to the outcomes when all VMMs have ended, and never rejects. The
   * script does not end by itself before.
   */
  readonly ended: Promise<readonly VmmOutcome[]>;
  /** The outcome of each VMM so far, in the order of the options. */
  outcomes(): readonly VmmOutcome[];
  /**
   * Stops all VMMs at the same time, as their own `stop()` does. Without
   * `timeoutMs`, each VMM has its own `stopTimeoutMs`.
   *
   * @throws {VmmGroupError} when not even SIGKILL ended a VMM in time. The
   * others are stopped all the same.
   */
  stop(options?: StopOptions): Promise<readonly VmmOutcome[]>;
  /** Stops all VMMs as `stop()` does, and closes their clients. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts several VMMs at the same time: all or none. The group owns each VMM
 * before the VMM starts, so no VMM is left behind. If one start fails, the
 * other VMMs are killed, and the call rejects when all have ended.
 *
 * The options of each VMM are those of `spawnVmm`; set `onSignal: "stop"` for
 * each VMM to stop all of them at Ctrl-C. The keys of an object are the names
 * of the VMMs; the VMMs of a list are called `vm0`, `vm1` and so on.
 *
 * @throws {VmmGroupError} with the name and the error of the start that failed,
 * and the outcomes of the other VMMs.
 * @throws {InvalidRequestError} `detach`, before anything is started.
 *
 * @example
 * ```ts
 * import { spawnVmms } from "@chv/cloud-hypervisor/process";
 *
 * const config = { payload: { kernel: "/boot/vmlinux" } };
 * const group = await spawnVmms({
 *   web: { config, onSignal: "stop" },
 *   db: { config, onSignal: "stop" },
 * });
 * console.table(await group.ended);
 * ```
 */
export async function spawnVmms(
  options:
    | readonly GroupVmmOptions[]
    | Readonly<Record<string, GroupVmmOptions>>,
  { signal }: SpawnVmmsOptions = {},
): Promise<VmmGroup> {
  signal?.throwIfAborted();
  const isList = Array.isArray(options);
  const members = Object.entries(options).map(([key, each]) =>
    new GroupMember(isList ? `vm${key}` : key, each)
  );
  const vmms = await startAll(members, signal);
  const outcomes = (): VmmOutcome[] => members.map(({ outcome }) => outcome);
  const stop: VmmGroup["stop"] = async (options) => {
    const stops = members.map((member) => member.stop(options));
    const results = await Promise.allSettled(stops);
    const index = results.findIndex(({ status }) => status === "rejected");
    if (index < 0) return outcomes();
    const { reason: cause } = results[index] as PromiseRejectedResult;
    const problem = "stop";
    throw new VmmGroupError({ problem, index, outcomes: outcomes(), cause });
  };
  const onAbort = (): void => {
    // The outcomes keep the error, and `ended` does not resolve.
    stop().catch(() => {});
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const ended = Promise.all(vmms.map((vmm) => vmm.ended)).then(() => {
    signal?.removeEventListener("abort", onAbort);
    return outcomes();
  });
  return {
    vmms,
    ended,
    outcomes,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      for (const { client } of vmms) client.close();
    },
  };
}

/** Starts all, or ends all. */
async function startAll(
  members: readonly GroupMember[],
  signal: AbortSignal | undefined,
): Promise<GroupVmm[]> {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  let failure: { index: number; cause: unknown } | undefined;
  try {
    const starts = members.map(async (member, index) => {
      try {
        return await member.start(controller.signal);
      } catch (cause) {
        if (!controller.signal.aborted) failure = { index, cause };
        controller.abort(cause);
        throw cause;
      }
    });
    const results = await Promise.allSettled(starts);
    const vmms = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : []
    );
    if (vmms.length === members.length && !controller.signal.aborted) {
      return vmms;
    }
    await Promise.allSettled(members.map((member) => member.kill()));
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  if (failure === undefined) throw controller.signal.reason;
  const outcomes = members.map(({ outcome }) => outcome);
  throw new VmmGroupError({ problem: "start", outcomes, ...failure });
}
