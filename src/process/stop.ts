/** The way down, from a word to the guest to SIGKILL. */
import { checkDeadline } from "../wait/deadline.ts";
import {
  CloudHypervisorError,
  ConnectionError,
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { isNotCreated } from "../vmm/wait_for.ts";
import { pollUntil } from "../vmm/poll.ts";

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

  const state = await look(vmm, left(TIME_BUDGET.probe));
  if (state === "ended") return { step: "already", graceful: true };
  let graceful = state === "none";
  const asked = state === "running" &&
    await wasAccepted(vm.powerButton({ timeoutMs: left(TIME_BUDGET.guest) }));
  if (asked) {
    const after = await waitForEnd(vmm, left(TIME_BUDGET.guest), true);
    // A VMM follows its VM, unless it was started with --no-shutdown.
    const wait = Math.min(left(TIME_BUDGET.vm), FOLLOW_MS);
    if (after === "ended" || after === "none" && await hasEnded(vmm, wait)) {
      const exit = await vmm.exited;
      const graceful = exit === undefined || exit.exitCode === 0;
      return { step: "power-button", graceful };
    }
    graceful = after === "none";
  }
  if (!graceful) {
    await wasAccepted(vm.shutdown({ timeoutMs: left(TIME_BUDGET.vm) }));
    if (await look(vmm, left(TIME_BUDGET.vm)) === "ended") {
      return { step: "vm.shutdown", graceful };
    }
  }
  await wasAccepted(process.shutdown({ timeoutMs: left(TIME_BUDGET.vmm) }));
  if (await hasEnded(vmm, left(vmm.signal ? TIME_BUDGET.vmm : 1))) {
    return { step: "vmm.shutdown", graceful };
  }
  for (const name of vmm.signal ? (["SIGTERM", "SIGKILL"] as const) : []) {
    vmm.signal?.(name);
    const share = name === "SIGTERM" ? TIME_BUDGET.term : 1;
    if (await hasEnded(vmm, left(share))) {
      return { step: name, graceful };
    }
  }
  throw new DeadlineError(timeoutMs, { socketPath }, "the VMM to end");
}

/** What is there: a VM that runs, one that does not, none, or no VMM. */
type VmPresence = "running" | "halted" | "none" | "ended" | "unknown";

/** Asks once. */
async function look(vmm: Vmm, timeoutMs: number): Promise<VmPresence> {
  const once = {
    goal: "",
    probe: (signal: AbortSignal) => readPresence(vmm, signal),
  };
  return await presenceOf(pollUntil(vmm, once, { timeoutMs }));
}

/** Waits for the end of the VMM, or of its VM as well. */
async function waitForEnd(
  vmm: Vmm,
  timeoutMs: number,
  orVm = false,
): Promise<VmPresence> {
  const { client, exited, events } = vmm;
  // Of one's own process the end is told, so the VMM need not be asked.
  const target = orVm || exited === undefined ? vmm : { client, exited };
  return await presenceOf(
    pollUntil({ ...target, events: orVm ? events : undefined }, {
      goal: "the VMM to end",
      async probe(signal) {
        if (!orVm && exited) return await new Promise<never>(() => {});
        const found = await readPresence(vmm, signal);
        return orVm && found === "none" ? found : undefined;
      },
    }, { timeoutMs }),
  );
}

async function hasEnded(vmm: Vmm, timeoutMs: number): Promise<boolean> {
  return await waitForEnd(vmm, timeoutMs) === "ended";
}

async function readPresence(
  { client }: Vmm,
  signal: AbortSignal,
): Promise<VmPresence> {
  try {
    const { state } = await client.vm.info({ signal });
    if (state === "Running") return "running";
    return state === "Created" || state === "Shutdown" ? "none" : "halted";
  } catch (error) {
    if (isNotCreated(error)) return "none";
    throw error;
  }
}

async function presenceOf(found: Promise<VmPresence>): Promise<VmPresence> {
  try {
    return await found;
  } catch (error) {
    return error instanceof VmmExitedError ? "ended" : "unknown";
  }
}

/** Whether a step was taken; one that is refused is followed by the next. */
async function wasAccepted(step: Promise<unknown>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (!(error instanceof CloudHypervisorError)) throw error;
    return error instanceof ConnectionError && error.code === "closed";
  }
}

/** By when each step has to be over, as a share of the whole. */
const TIME_BUDGET = { probe: 0.1, guest: 0.6, vm: 0.75, vmm: 0.85, term: 0.95 };

const FOLLOW_MS = 500;

/** Even a late step gets a moment. */
const MIN_MS = 50;

/** Stops once at a time: a second call gets the outcome of the first. */
export function createStop(
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
