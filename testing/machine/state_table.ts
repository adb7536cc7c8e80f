/** Decides which operation works in which state of the VM. */
import type { Release } from "../release_type.ts";
import type { OperationName } from "../../src/generated/api.gen.ts";
import { refusals } from "../../src/generated/refusals.gen.ts";
import { stateError, type StateErrorName } from "./state_error.ts";
import { Panic } from "./vmm_error.ts";

/**
 * The state of the VMM. `vm.info` reports both `Created` and `Failed` as
 * `Created`.
 *
 * - `None`: no configuration
 * - `Created`: a configuration, and no VM
 * - `BreakPoint`: a VM that waits for a debugger
 * - `Failed`: a half-built VM, after a boot that failed
 * - `Migrating`: a VM that is being sent to another VMM
 */
export type State =
  | "None"
  | "Created"
  | "Failed"
  | "BreakPoint"
  | "Running"
  | "Paused"
  | "Migrating";

/** The outcome in one state. */
type Outcome = "works" | "panics" | StateErrorName | AnnouncedError;

/** The outcomes of one operation. */
type Outcomes = { readonly [state in State]?: Outcome };

/** A refusal that follows the first event of the operation. */
interface AnnouncedError {
  readonly event: string;
  readonly error: StateErrorName;
}

/**
 * Throws if an operation does not work in a state.
 *
 * @param emit Emits the event that precedes some of the refusals.
 * @throws {VmmError}
 * @throws {Panic} if the request ends the process.
 */
export function assertAllowed(
  operation: OperationName,
  state: State,
  release: Release,
  emit: (event: string) => void,
): void {
  const outcome = exceptionsOf(release, operation)?.[state] ??
    exceptions[operation]?.[state] ?? outcomeOf(operation, state);
  if (outcome === "works") return;
  if (outcome === "panics") throw new Panic(`${operation} without a VM`);
  if (typeof outcome === "string") throw stateError(outcome);
  emit(outcome.event);
  throw stateError(outcome.error);
}

/** The usual outcome, from the states that the spec lists. */
function outcomeOf(operation: OperationName, state: State): Outcome {
  const { states } = refusals[operation];
  const needsVm = states.includes("Running") || states.includes("Paused");
  if (states.includes(state)) return "works";
  switch (state) {
    case "None":
      return states.includes("Created") ? "notCreated" : "notRunning";
    case "Created":
      return needsVm ? "notRunning" : "alreadyCreated";
    case "Failed":
    case "BreakPoint":
      return needsVm ? "works" : "alreadyCreated";
    case "Migrating":
      // `vm.add-…` validates the configuration first, and refuses afterwards.
      return operation.startsWith("vm.add-") ? "works" : "migrating";
    default:
      return "alreadyCreated";
  }
}

const noVmToReboot = after("rebooting", "notCreated");
const coredumpUnbooted = after("coredumping", "coredumpUnbooted");
const snapshotRunning = after("snapshotting", "snapshotRunning");

/** The outcomes that do not follow from the listed states. */
const exceptions: {
  readonly [name in OperationName]?: Outcomes;
} = {
  // The response is an error, and the process ends all the same.
  "vmm.shutdown": { Migrating: "works" },
  "vm.boot": { None: after("booting", "noConfig") },
  "vm.pause": {
    Paused: after("pausing", "pausedAlready"),
    BreakPoint: after("pausing", "pausedAtBreakpoint"),
  },
  "vm.resume": { Running: after("resuming", "runningAlready") },
  "vm.reboot": {
    None: noVmToReboot,
    Created: noVmToReboot,
    Migrating: after("rebooting", "migrating"),
  },
  "vm.snapshot": {
    Failed: snapshotRunning,
    BreakPoint: snapshotRunning,
    Running: snapshotRunning,
  },
  "vm.coredump": {
    Failed: coredumpUnbooted,
    BreakPoint: coredumpUnbooted,
  },
  "vm.resize-disk": { None: "notCreated", Created: "diskOffline" },
  "vm.receive-migration": {
    Failed: "receiveOwned",
    BreakPoint: "receiveOwned",
    Running: "receiveOwned",
    Paused: "receiveOwned",
    Migrating: "receiveTwice",
  },
  "vm.send-migration": {
    None: "sendNotRunning",
    Created: "sendNotRunning",
    BreakPoint: "sentAtBreakpoint",
    Migrating: "sendTwice",
  },
};

/** The outcomes of old releases that differ from those above. */
function exceptionsOf(
  { bootsAgain, sends }: Release,
  operation: OperationName,
): Outcomes | undefined {
  const waits = sends === "at the end";
  if (operation === "vm.boot" && bootsAgain) return BOOTS_AGAIN;
  if (operation === "vm.send-migration" && waits) return { None: "panics" };
  if (operation === "vm.receive-migration" && waits) return RECEIVES_ALWAYS;
  return undefined;
}

const BOOTS_AGAIN: Outcomes = {
  Failed: "works",
  Paused: "works",
  Running: after("booting", "bootedAlready"),
};

/** The VMM waits for a VM though it has one, which the arrival replaces. */
const RECEIVES_ALWAYS: Outcomes = {
  Failed: "works",
  Running: "works",
  Paused: "works",
};

function after(event: string, error: StateErrorName): AnnouncedError {
  return { event, error };
}
