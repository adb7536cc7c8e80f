/** Sends the VM to another VMM. */
import type { SendMigrationData } from "../../src/generated/types.gen.ts";
import { stringify } from "../../src/json/json.ts";
import { RuleContext } from "../../src/schema/rules/context.ts";
import { exitCode, killedBy } from "../machine/exit.ts";
import type { Machine } from "../machine/machine.ts";
import { senderProblem } from "../machine/migration_parameters.ts";
import { dial, needsLookup, type Peer } from "../machine/migration_stream.ts";
import { stateError } from "../machine/state_error.ts";
import { VmmError } from "../machine/vmm_error.ts";
import { lockDisks } from "./boot.ts";
import { info, shown } from "./info.ts";
import { erase, pause, resume } from "./run.ts";
import { type SavedState, stateOf } from "./snapshot.ts";

/** The state that is sent: a VM without its memory. */
export interface SentVm {
  readonly config: unknown;
  readonly state: SavedState;
  readonly running: boolean;
}

/** The line that a source sends in place of shared memory, before it dies. */
export const SHARED_MEMORY = "shared";

const SEND = "Failed to send migratable component snapshot";

/**
 * Starts to send the VM. The response comes at once; the outcome is an event,
 * or the end of the process.
 */
export function send(machine: Machine, body: SendMigrationData): void {
  const problem = senderProblem(body);
  if (problem !== undefined) {
    const [first, ...causes] = problem;
    throw new VmmError(
      "failed",
      SEND,
      "Invalid send migration configuration",
      `Error validating send migration parameters: ${first}`,
      ...causes,
    );
  }
  const { stored, owned } = machine;
  if (body.local && !new RuleContext(stored).hasSharedMemory) {
    throw new VmmError(
      "failed",
      SEND,
      "Local migration requires shared memory or hugepages enabled",
    );
  }
  if (owned.state === "Created") throw stateError("sendUnbooted");
  machine.outgoing = { info: structuredClone(info(machine)) };
  // The response is sent before the VM.
  setImmediate(() => void sendVm(machine, body));
}

async function sendVm(machine: Machine, body: SendMigrationData) {
  const { owned, parts } = machine;
  const running = owned.state === "Running";
  machine.emit("migration-started");
  // The sandbox of the thread forbids the lookup of a host name.
  if (needsLookup(body.destination_url)) return parts.exit(killedBy("SIGSYS"));
  try {
    const peer = await dial(body.destination_url);
    machine.onExit(() => peer.close());
    await transfer(machine, peer, running, body);
    if (machine.exited) return;
    machine.emit("migration-finished");
  } catch {
    if (machine.exited) return;
    machine.emit("migration-failed");
    machine.outgoing = undefined;
    if (running && owned.state === "Paused") resume(machine);
    return;
  }
  machine.outgoing = undefined;
  if (body.preserve_source) return;
  owned.devices.holds.freeAll();
  machine.instance = undefined;
  erase(machine);
  parts.events.emit("vmm", "shutdown");
  parts.exit(exitCode(0));
}

/** Sends the VM, and waits until the destination has it. */
async function transfer(
  machine: Machine,
  peer: Peer,
  running: boolean,
  { local }: SendMigrationData,
): Promise<void> {
  const { owned, stored, parts } = machine;
  peer.send("start");
  if (await peer.next() !== "ok") throw new Error("no destination");
  if (!local && new RuleContext(stored).hasSharedMemory) {
    // Reading the size of the memory file is forbidden as well.
    peer.send(SHARED_MEMORY);
    return parts.exit(killedBy("SIGSYS"));
  }
  machine.emit("migration-memory-iteration", { id: "0" });
  await Promise.race([machine.guest.sendMemory(), peer.ended]);
  if (machine.exited || peer.hasEnded) throw new Error("a side has ended");
  if (running) pause(machine);
  machine.emit("snapshotting");
  machine.emit("snapshotted");
  const vm: SentVm = {
    config: shown(machine, stored),
    state: stateOf(owned),
    running,
  };
  owned.devices.holds.unlockAll();
  peer.send(stringify(vm)!);
  const answer = await peer.next();
  peer.close();
  if (answer === "ok") return;
  lockDisks(stored, owned);
  throw new Error("the destination did not take the VM");
}
