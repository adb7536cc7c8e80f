/** Which operation does its work in which state, and what it says otherwise. */
import type { OperationName } from "../../src/generated/api.gen.ts";
import { VmmError } from "./vmm_error.ts";
import type { Kind } from "../release.ts";

/**
 * The state of the VMM: `vm.info` says `Created` for the second and the third.
 *
 * - `None`: no configuration
 * - `Created`: a configuration, and no VM
 * - `Failed`: a VM half built by a boot that failed
 * - `Migrating`: the VM is on its way to another VMM
 */
export type State =
  | "None"
  | "Created"
  | "Failed"
  | "Running"
  | "Paused"
  | "Migrating";

/** What holds in a state: the work is done, or the refusal. */
type Cell = "works" | RefusalName | Announced;

/** A refusal after the operation's first event. */
interface Announced {
  readonly event: string;
  readonly refusal: RefusalName;
}

type RefusalName =
  | "notCreated"
  | "noConfig"
  | "notRunning"
  | "alreadyCreated"
  | "migrating"
  | "pausedAlready"
  | "runningAlready"
  | "snapshotRunning"
  | "coredumpUnbooted"
  | "diskOffline"
  | "sendNotRunning"
  | "sendUnbooted"
  | "sendTwice"
  | "receiveOwned"
  | "receiveTwice";

const SEND = "Failed to send migratable component snapshot";
const RECEIVE = "Failed to receive migratable component snapshot";

const refusals: {
  readonly [name in RefusalName]: readonly [Kind, ...string[]];
} = {
  notCreated: ["missing", "VM is not created"],
  noConfig: ["missing", "VM config is missing"],
  notRunning: ["failed", "VM is not running"],
  alreadyCreated: ["failed", "VM is already created"],
  migrating: ["failed", "VM is currently migrating and can't be modified"],
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
  sendTwice: ["failed", SEND, "There is already an ongoing migration"],
  receiveOwned: [
    "failed",
    RECEIVE,
    "Can't receive a migration when a VM is already created",
  ],
  receiveTwice: ["failed", RECEIVE, "There is already an ongoing migration"],
};

function after(event: string, refusal: RefusalName): Announced {
  return { event, refusal };
}

/** In the order None, Created, Failed, Running, Paused, Migrating. */
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell];

const order: readonly State[] = [
  "None",
  "Created",
  "Failed",
  "Running",
  "Paused",
  "Migrating",
];

const always: Row = ["works", "works", "works", "works", "works", "works"];

/** Wants a VM, booted or not. */
const owned: Row = [
  "notRunning",
  "notRunning",
  "works",
  "works",
  "works",
  "migrating",
];

/** Wants a configuration; what else is wrong, the work itself finds. */
const configured: Row = [
  "notCreated",
  "works",
  "works",
  "works",
  "works",
  "migrating",
];

/** Wants nothing there. */
const fresh: Row = [
  "works",
  "alreadyCreated",
  "alreadyCreated",
  "alreadyCreated",
  "alreadyCreated",
  "migrating",
];

/** As `configured`, but the configuration is checked before the migration. */
const adding: Row = [
  "notCreated",
  "works",
  "works",
  "works",
  "works",
  "works",
];

const table: { readonly [name in OperationName]: Row } = {
  "vmm.ping": always,
  "vmm.shutdown": always,
  "vm.info": ["notCreated", "works", "works", "works", "works", "works"],
  "vm.counters": owned,
  "vm.create": fresh,
  "vm.delete": ["works", "works", "works", "works", "works", "migrating"],
  "vm.boot": [
    after("booting", "noConfig"),
    "works",
    "alreadyCreated",
    "alreadyCreated",
    "alreadyCreated",
    "migrating",
  ],
  "vm.pause": [
    "notRunning",
    "notRunning",
    "works",
    "works",
    after("pausing", "pausedAlready"),
    "migrating",
  ],
  "vm.resume": [
    "notRunning",
    "notRunning",
    "works",
    after("resuming", "runningAlready"),
    "works",
    "migrating",
  ],
  "vm.shutdown": owned,
  "vm.reboot": [
    after("rebooting", "notCreated"),
    after("rebooting", "notCreated"),
    "works",
    "works",
    "works",
    after("rebooting", "migrating"),
  ],
  "vm.power-button": owned,
  "vm.nmi": owned,
  "vm.snapshot": [
    "notRunning",
    "notRunning",
    after("snapshotting", "snapshotRunning"),
    after("snapshotting", "snapshotRunning"),
    "works",
    "migrating",
  ],
  "vm.coredump": [
    "notRunning",
    "notRunning",
    after("coredumping", "coredumpUnbooted"),
    "works",
    "works",
    "migrating",
  ],
  "vm.restore": fresh,
  "vm.resize": configured,
  "vm.resize-disk": [
    "notCreated",
    "diskOffline",
    "works",
    "works",
    "works",
    "migrating",
  ],
  "vm.resize-zone": configured,
  "vm.remove-device": configured,
  "vm.add-device": adding,
  "vm.add-disk": adding,
  "vm.add-fs": adding,
  "vm.add-generic-vhost-user": adding,
  "vm.add-net": adding,
  "vm.add-pmem": adding,
  "vm.add-user-device": adding,
  "vm.add-vdpa": adding,
  "vm.add-vsock": adding,
  "vm.receive-migration": [
    "works",
    "works",
    "receiveOwned",
    "receiveOwned",
    "receiveOwned",
    "receiveTwice",
  ],
  "vm.send-migration": [
    "sendNotRunning",
    "sendNotRunning",
    "works",
    "works",
    "works",
    "sendTwice",
  ],
};

/**
 * Lets an operation pass, or refuses it.
 *
 * @param announce Gets the event that comes before some of the refusals.
 */
export function assertAllowed(
  operation: OperationName,
  state: State,
  announce: (event: string) => void,
): void {
  const cell = table[operation][order.indexOf(state)]!;
  if (cell === "works") return;
  if (typeof cell !== "string") announce(cell.event);
  throw stateError(typeof cell === "string" ? cell : cell.refusal);
}

/** A refusal by its name in the table. */
export function stateError(name: RefusalName): VmmError {
  const [kind, ...chain] = refusals[name];
  return new VmmError(kind, ...chain);
}
