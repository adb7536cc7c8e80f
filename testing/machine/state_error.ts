/** The refusals of operations that the state of the VM does not allow. */
import type { Kind } from "../release_type.ts";
import { VmmError } from "./vmm_error.ts";

/** The name of a refusal. */
export type StateErrorName =
  | "notCreated"
  | "noConfig"
  | "notRunning"
  | "alreadyCreated"
  | "migrating"
  | "bootedAlready"
  | "pausedAlready"
  | "runningAlready"
  | "pausedAtBreakpoint"
  | "sentAtBreakpoint"
  | "snapshotRunning"
  | "coredumpUnbooted"
  | "diskOffline"
  | "sendNotRunning"
  | "sendUnbooted"
  | "sendTwice"
  | "receiveOwned"
  | "receiveTwice"
  | "snapshotFilling"
  | "sendFilling";

const SEND = "Failed to send migratable component snapshot";
const RECEIVE = "Failed to receive migratable component snapshot";

const refusals: {
  readonly [name in StateErrorName]: readonly [Kind, ...string[]];
} = {
  notCreated: ["missing", "VM is not created"],
  noConfig: ["missing", "VM config is missing"],
  notRunning: ["failed", "VM is not running"],
  alreadyCreated: ["failed", "VM is already created"],
  migrating: ["failed", "VM is currently migrating and can't be modified"],
  bootedAlready: [
    "failed",
    "invalid VM state transition: Running to Running",
  ],
  pausedAlready: [
    "failed",
    "Cannot pause VM",
    "Failed to pause migratable component",
    "Invalid transition: InvalidStateTransition(Paused, Paused)",
  ],
  runningAlready: [
    "failed",
    "Cannot resume VM",
    "Failed to resume migratable component",
    "Invalid transition: InvalidStateTransition(Running, Running)",
  ],
  pausedAtBreakpoint: [
    "failed",
    "Cannot pause VM",
    "Failed to pause migratable component",
    "Invalid transition: InvalidStateTransition(BreakPoint, Paused)",
  ],
  snapshotRunning: [
    "failed",
    "Cannot snapshot VM",
    "Failed to snapshot migratable component",
    "Trying to snapshot while VM is running",
  ],
  coredumpUnbooted: [
    "failed",
    "Error coredumping VM",
    "coredump",
    "Trying to coredump while VM is not running or paused",
  ],
  diskOffline: ["failed", "Failed resizing a disk image"],
  sendNotRunning: ["failed", SEND, "VM is not running"],
  sendUnbooted: ["failed", SEND, "VM is not running or paused: Created"],
  sentAtBreakpoint: [
    "failed",
    SEND,
    "VM is not running or paused: BreakPoint",
  ],
  sendTwice: ["failed", SEND, "There is already an ongoing migration"],
  receiveOwned: [
    "failed",
    RECEIVE,
    "Can't receive a migration when a VM is already created",
  ],
  receiveTwice: ["failed", RECEIVE, "There is already an ongoing migration"],
  snapshotFilling: [
    "failed",
    "VM on-demand memory restore is still in progress",
  ],
  sendFilling: [
    "failed",
    SEND,
    "Cannot migrate while on-demand memory restore is in progress",
  ],
};

/** Creates a refusal by its name. */
export function stateError(name: StateErrorName): VmmError {
  const [kind, ...chain] = refusals[name];
  return new VmmError(kind, ...chain);
}
