/** Escalating shutdown: from the power button to SIGKILL. */
import { checkDeadline } from "../wait/deadline.ts";
import { CloudHypervisorError } from "../errors/base_error.ts";
import { type VmmExit, VmmExitedError } from "../errors/errors.ts";
import { noteEndRequest } from "../vmm/end_request.ts";
import { goalTimedOut } from "../vmm/goal.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { isNotCreated } from "../vmm/vm_info.ts";
import { pollUntil } from "../vmm/poll.ts";

/** A step that ends a VMM; `already` where it had ended before. */
export type StopStep =
  | "already"
  | "power-button"
  | "vm.shutdown"
  | "vmm.shutdown"
  | "SIGTERM"
  | "SIGKILL";

/** The outcome of `stop()`. */
export interface StopResult {
  /** The step after which the process had ended. */
  readonly step: StopStep;
  /**
   * True if the guest powered off after the power button, if no VM was running,
   * or if the VMM had already ended, for whatever reason.
   */
  readonly graceful: boolean;
}

/** Options of `stop()`. */
export interface StopOptions {
  /**
   * Milliseconds for all steps together. The guest gets six tenths of them to
   * power off.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number;
}

/** A VMM that can be stopped; `signal` only where the script started it. */
export interface Stoppable extends Vmm {
  signal?(name: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Ends a VMM. After a step that fails or takes too long comes the next one.
 *
 * @throws {DeadlineError} when no step ended the VMM in time.
 */
export async function stop(
  vmm: Stoppable,
  { timeoutMs = 30_000 }: StopOptions = {},
): Promise<StopResult> {
  checkDeadline("timeoutMs", timeoutMs);
  const start = performance.now();
  const { vm, vmm: process, socketPath } = vmm.client;
  /** The time that is left of a share of the whole. */
  const left = (share: number): number =>
    Math.max(timeoutMs * share - (performance.now() - start), MIN_MS);

  const state = await probe(vmm, left(TIME_BUDGET.probe));
  if (state === "ended") return { step: "already", graceful: true };
  let graceful = state === "none";
  if (state === "running") noteEndRequest(vmm.client, "power-button");
  const asked = state === "running" &&
    await wasAccepted(vm.powerButton({ timeoutMs: left(TIME_BUDGET.guest) }));
  if (asked) {
    const after = await waitForEnd(vmm, left(TIME_BUDGET.guest), true);
    // A VMM follows its VM, unless it was started with --no-shutdown.
    const wait = Math.min(left(TIME_BUDGET.vm), FOLLOW_MS);
    if (after === "ended" || after === "none" && await hasEnded(vmm, wait)) {
      const exit = await vmm.exited;
      // The exit code of a VMM that another script started is unknown.
      const graceful = exit === undefined || exit.exitCode === 0 ||
        exit.exitCode === null && exit.signal === null;
      return { step: "power-button", graceful };
    }
    graceful = after === "none";
  }
  if (!graceful) {
    noteEndRequest(vmm.client, "vm.shutdown");
    await wasAccepted(vm.shutdown({ timeoutMs: left(TIME_BUDGET.vm) }));
    if (await probe(vmm, left(TIME_BUDGET.vm)) === "ended") {
      return { step: "vm.shutdown", graceful };
    }
  }
  noteEndRequest(vmm.client, "vmm.shutdown");
  await wasAccepted(process.shutdown({ timeoutMs: left(TIME_BUDGET.vmm) }));
  if (await hasEnded(vmm, left(vmm.signal ? TIME_BUDGET.vmm : 1))) {
    return { step: "vmm.shutdown", graceful };
  }
  for (const name of vmm.signal ? (["SIGTERM", "SIGKILL"] as const) : []) {
    noteEndRequest(vmm.client, name);
    vmm.signal?.(name);
    const share = name === "SIGTERM" ? TIME_BUDGET.term : 1;
    if (await hasEnded(vmm, left(share))) {
      return { step: name, graceful };
    }
  }
  throw goalTimedOut(HAS_NOT_ENDED, timeoutMs, socketPath);
}

/** The state of the VM; `ended` where the VMM has ended. */
type VmPresence = "running" | "halted" | "none" | "ended" | "unknown";

const HAS_NOT_ENDED = { subject: "VMM", unmet: "has not ended" } as const;

/** Asks until the VMM answers. */
async function probe(vmm: Vmm, timeoutMs: number): Promise<VmPresence> {
  const once = {
    goal: HAS_NOT_ENDED,
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
  // The end of a child process is known, so the VMM need not be asked.
  const target = orVm || exited === undefined ? vmm : { client, exited };
  return await presenceOf(
    pollUntil({ ...target, events: orVm ? events : undefined }, {
      goal: HAS_NOT_ENDED,
      async probe(signal) {
        if (!orVm && exited) return await new Promise<never>(() => {});
        const presence = await readPresence(vmm, signal);
        return orVm && presence === "none" ? presence : undefined;
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

async function presenceOf(
  presence: Promise<VmPresence>,
): Promise<VmPresence> {
  try {
    return await presence;
  } catch (error) {
    return error instanceof VmmExitedError ? "ended" : "unknown";
  }
}

/** Tells whether the VMM accepted a step. */
async function wasAccepted(step: Promise<unknown>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (!(error instanceof CloudHypervisorError)) throw error;
    return error.code === "closed" || error.code === "vmm_exited";
  }
}

/** The end of each step, as a share of the whole time. */
const TIME_BUDGET = { probe: 0.1, guest: 0.6, vm: 0.75, vmm: 0.85, term: 0.95 };

/** The time for a VMM to end after its VM. */
const FOLLOW_MS = 500;

/** The shortest time of a step. */
const MIN_MS = 50;

/** Creates a `stop()` of which two calls at once share one outcome. */
export function createStop(
  vmm: Stoppable,
  onEnd: (exit: VmmExit | undefined) => void | Promise<void> = () => {},
): (options?: StopOptions) => Promise<StopResult> {
  let running: Promise<StopResult> | undefined;
  return (options) => {
    running ??= stop(vmm, options).then(async (result) => {
      await onEnd(await vmm.exited);
      return result;
    }).finally(() => running = undefined);
    return running;
  };
}
