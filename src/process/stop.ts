/** The way down, from a word to the guest to SIGKILL. */
import { checkDeadline } from "../deadline.ts";
import {
  CloudHypervisorError,
  ConnectionError,
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors.ts";
import type { Vmm } from "../workflows/vmm.ts";
import { isNotCreated } from "../workflows/wait.ts";
import { watch } from "../workflows/watch.ts";

/** What can end a VMM; `already` where it had ended before. */
export type StopStep =
  | "already"
  | "power-button"
  | "vm.shutdown"
  | "vmm.shutdown"
  | "SIGTERM"
  | "SIGKILL";

/** How a VMM was stopped. */
export interface StopResult {
  /** After which step the process had ended. */
  readonly step: StopStep;
  /** Whether the guest powered off by itself, or had no VM to lose. */
  readonly graceful: boolean;
}

/** What `stop()` takes. */
export interface StopOptions {
  /**
   * Milliseconds for all steps together: six tenths are the guest's.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number;
}

/** A VMM that can be stopped; signals only where it is the script's own. */
export interface Stoppable extends Vmm {
  signal?(name: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Ends a VMM. A step that fails or takes too long is followed by the next.
 *
 * @throws {DeadlineError} when nothing ended it in time.
 */
export async function stop(
  vmm: Stoppable,
  { timeoutMs = 30_000 }: StopOptions = {},
): Promise<StopResult> {
  checkDeadline("timeoutMs", timeoutMs);
  const start = performance.now();
  const { vm, vmm: process, socketPath } = vmm.client;
  /** What is left until that share of the time is over. */
  const left = (share: number): number =>
    Math.max(timeoutMs * share - (performance.now() - start), MIN_MS);

  const state = await look(vmm, left(SHARES.look));
  if (state === "ended") return { step: "already", graceful: true };
  let graceful = state === "none";
  const asked = state === "running" &&
    await tried(vm.powerButton({ timeoutMs: left(SHARES.guest) }));
  if (asked) {
    const after = await until(vmm, left(SHARES.guest), true);
    // A VMM follows its VM, unless it was started with --no-shutdown.
    const wait = Math.min(left(SHARES.vm), FOLLOW_MS);
    if (after === "ended" || after === "none" && await ends(vmm, wait)) {
      const exit = await vmm.exited;
      const graceful = exit === undefined || exit.exitCode === 0;
      return { step: "power-button", graceful };
    }
    graceful = after === "none";
  }
  if (!graceful) {
    await tried(vm.shutdown({ timeoutMs: left(SHARES.vm) }));
    if (await look(vmm, left(SHARES.vm)) === "ended") {
      return { step: "vm.shutdown", graceful };
    }
  }
  await tried(process.shutdown({ timeoutMs: left(SHARES.vmm) }));
  if (await ends(vmm, left(vmm.signal ? SHARES.vmm : 1))) {
    return { step: "vmm.shutdown", graceful };
  }
  for (const name of vmm.signal ? (["SIGTERM", "SIGKILL"] as const) : []) {
    vmm.signal?.(name);
    const share = name === "SIGTERM" ? SHARES.term : 1;
    if (await ends(vmm, left(share))) {
      return { step: name, graceful };
    }
  }
  throw new DeadlineError(timeoutMs, { socketPath }, "the VMM to end");
}

/** What is there: a VM that runs, one that does not, none, or no VMM. */
type Found = "running" | "halted" | "none" | "ended" | "unknown";

/** Asks once. */
async function look(vmm: Vmm, timeoutMs: number): Promise<Found> {
  const once = { goal: "", look: (signal: AbortSignal) => find(vmm, signal) };
  return await outcome(watch(vmm, once, { timeoutMs }));
}

/** Waits for the end of the VMM, or of its VM as well. */
async function until(
  vmm: Vmm,
  timeoutMs: number,
  orVm = false,
): Promise<Found> {
  const { client, exited, events } = vmm;
  // Of one's own process the end is told, so the VMM need not be asked.
  const target = orVm || exited === undefined ? vmm : { client, exited };
  return await outcome(watch({ ...target, events: orVm ? events : undefined }, {
    goal: "the VMM to end",
    async look(signal) {
      if (!orVm && exited) return await new Promise<never>(() => {});
      const found = await find(vmm, signal);
      return orVm && found === "none" ? found : undefined;
    },
  }, { timeoutMs }));
}

async function ends(vmm: Vmm, timeoutMs: number): Promise<boolean> {
  return await until(vmm, timeoutMs) === "ended";
}

async function find({ client }: Vmm, signal: AbortSignal): Promise<Found> {
  try {
    const { state } = await client.vm.info({ signal });
    if (state === "Running") return "running";
    return state === "Created" || state === "Shutdown" ? "none" : "halted";
  } catch (error) {
    if (isNotCreated(error)) return "none";
    throw error;
  }
}

async function outcome(found: Promise<Found>): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    return error instanceof VmmExitedError ? "ended" : "unknown";
  }
}

/** Whether a step was taken; one that is refused is followed by the next. */
async function tried(step: Promise<unknown>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (!(error instanceof CloudHypervisorError)) throw error;
    return error instanceof ConnectionError && error.code === "closed";
  }
}

/** By when each step has to be over, as a share of the whole. */
const SHARES = { look: 0.1, guest: 0.6, vm: 0.75, vmm: 0.85, term: 0.95 };

const FOLLOW_MS = 500;

/** Even a late step gets a moment. */
const MIN_MS = 50;

/** Stops once at a time: a second call gets the outcome of the first. */
export function stopper(
  vmm: Stoppable,
  after: (exit: VmmExit | undefined) => void = () => {},
): (options?: StopOptions) => Promise<StopResult> {
  let running: Promise<StopResult> | undefined;
  return (options) => {
    running ??= stop(vmm, options).then(async (result) => {
      after(await vmm.exited);
      return result;
    }).finally(() => running = undefined);
    return running;
  };
}
