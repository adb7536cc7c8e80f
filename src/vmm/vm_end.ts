/** The end of a VM: its cause, and the side that ended it. */
import type { VmmExit } from "../errors/errors.ts";
import type { EndRequest } from "./end_request.ts";
import type { VmHistory } from "./vm_history.ts";

/**
 * The cause of the end of a VM.
 *
 * - `powered-off`: the guest powered off, by itself or after the power button
 * - `rebooted`: the guest rebooted, and the VMM was ended by `onReboot: "end"`
 * - `panicked`: the guest panicked, and did not boot again
 * - `migrated`: the VM runs in another VMM
 * - `stopped`: a request ended the VM or the VMM, while the guest ran, or
 *   without a VM
 * - `killed`: a signal ended the VMM, without a shutdown of the VM. A crash of a
 *   VMM whose exit code is unknown counts as `killed`, too
 * - `crashed`: the VMM failed: an exit code other than 0, or a signal of the
 *   kernel such as SIGSYS
 * - `unknown`: the VMM has ended, and neither its exit code nor its events say
 *   more
 */
export type VmEndCause =
  | "powered-off"
  | "rebooted"
  | "panicked"
  | "migrated"
  | "stopped"
  | "killed"
  | "crashed"
  | "unknown";

/** The end of a VM and of its VMM. It can be stored as JSON. */
export interface VmEnd {
  /** The cause. */
  readonly cause: VmEndCause;
  /**
   * The side that ended the VM: the guest; this script by its handle; the VMM by
   * a failure; or somebody else. The events of the VMM do not tell a guest that
   * powers off from SIGTERM and `vmm.shutdown` of another program, while the
   * guest runs: all three are `powered-off` by the `guest`.
   */
  readonly by: "guest" | "script" | "vmm" | "other";
  /** The last request of this script, if the script ended the VM. */
  readonly step: EndRequest | undefined;
  /** The end of the process. */
  readonly exit: VmmExit;
}

/** Everything that is known of an end. */
export interface EndEvidence {
  readonly exit: VmmExit;
  /** Undefined for a VMM whose events cannot be read. */
  readonly history: VmHistory | undefined;
  /** True if the API socket exists: a VMM that ends in order removes it. */
  readonly isSocketLeft?: boolean;
  /** The requests of this script, oldest first. */
  readonly requests: readonly EndRequest[];
  /** The cause by which `onReboot` or `onPanic` ended the VMM. */
  readonly rule?: "rebooted" | "panicked" | undefined;
}

/** Finds the cause of an end. */
export function endOf(evidence: EndEvidence): VmEnd {
  const { cause, by } = causeOf(evidence);
  const { exit, requests } = evidence;
  const step = by === "script" ? requests.at(-1) : undefined;
  return { cause, by, step, exit };
}

type Cause = Pick<VmEnd, "cause" | "by">;

function causeOf(
  { exit, history, requests, rule, isSocketLeft }: EndEvidence,
): Cause {
  if (rule) return { cause: rule, by: "guest" };
  const { exitCode, signal } = exit;
  const isAsked = (...names: EndRequest[]): boolean =>
    requests.some((request) => names.includes(request));
  const asker = (...names: EndRequest[]): "script" | "other" =>
    isAsked(...names) ? "script" : "other";
  if (FAILURES.has(signal ?? "") || exitCode !== null && exitCode !== 0) {
    return { cause: "crashed", by: "vmm" };
  }
  if (signal !== null) {
    return { cause: "killed", by: asker(signal as EndRequest) };
  }
  if (history?.hasMigrated) {
    return { cause: "migrated", by: asker("vm.send-migration") };
  }
  const isStopped = isAsked("vm.shutdown", "vmm.shutdown", "SIGTERM");
  const isOrderly = exitCode === 0 || history?.isOrderly === true;
  if (history?.hasPanicked && (isOrderly || isStopped)) {
    return { cause: "panicked", by: isStopped ? "script" : "guest" };
  }
  if (isStopped) return { cause: "stopped", by: "script" };
  if (isAsked("power-button")) return { cause: "powered-off", by: "script" };
  if (isAsked("SIGKILL") && !isOrderly) {
    return { cause: "killed", by: "script" };
  }
  if (isOrderly && history?.ranToTheEnd) {
    return { cause: "powered-off", by: "guest" };
  }
  if (isOrderly && history) return { cause: "stopped", by: "other" };
  if (history && isSocketLeft) return { cause: "killed", by: "other" };
  return { cause: "unknown", by: "other" };
}

/** The signals by which a program fails. */
const FAILURES: ReadonlySet<string> = new Set([
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGSYS",
  "SIGTRAP",
]);
