/** Sends the VM to another VMM. */
import type { SendMigrationData } from "../../src/generated/types.gen.ts";
import { stringify } from "../../src/json/json.ts";
import { RuleContext } from "../../src/schema/rules/context.ts";
import { exitCode, killedBy } from "../machine/exit.ts";
import type { Machine } from "../machine/machine.ts";
import { senderProblem } from "../machine/migration_parameters.ts";
import {
  dial,
  kindOf,
  needsLookup,
  type Peer,
} from "../machine/migration_stream.ts";
import { stateError } from "../machine/state_error.ts";
import { osError, VmmError } from "../machine/vmm_error.ts";
import { lockDisks } from "./boot.ts";
import { info, shown } from "./info.ts";
import { erase, pause, resume } from "./run.ts";
import { type SavedState, stateOf } from "./snapshot.ts";

/** The last message of a source: a VM without its configuration and memory. */
export interface SentVm {
  readonly state: SavedState;
  readonly running: boolean;
}

/** The line that a source sends in place of shared memory, before it dies. */
export const SHARED_MEMORY = "shared";

const SEND = "Failed to send migratable component snapshot";

/**
 * Starts to send the VM. The response comes at once, and the outcome is an
 * event, or the end of the process. On old releases the response comes at the
 * end: nothing else is answered until then.
 */
export function send(
  machine: Machine,
  body: SendMigrationData,
): void | Promise<void> {
  const problem = senderProblem(body);
  if (problem !== undefined) throw invalid(machine, body, problem);
  const { stored, owned, release } = machine;
  if (body.local && !new RuleContext(stored).hasSharedMemory) {
    throw new VmmError(
      "failed",
      SEND,
      "Local migration requires shared memory or hugepages enabled",
    );
  }
  if (owned.state === "Created") throw stateError("sendUnbooted");
  machine.outgoing = { info: structuredClone(info(machine)) };
  if (release.sends === "at the end") return sendVm(machine, body);
  // The response is sent before the VM. The outcome is not in it.
  setImmediate(() => void sendVm(machine, body).catch(() => {}));
}

function invalid(
  { release }: Machine,
  { destination_url: url }: SendMigrationData,
  [first, ...causes]: readonly string[],
): VmmError {
  const words = "Error validating send migration parameters";
  switch (release.senderWords) {
    case "url":
      return new VmmError(
        "failed",
        SEND,
        `Could not extract path from URL: ${url}`,
      );
    case "short":
      return new VmmError("failed", SEND, INVALID, words);
    case "full":
      return new VmmError(
        "failed",
        SEND,
        INVALID,
        `${words}: ${first}`,
        ...causes,
      );
  }
}

const INVALID = "Invalid send migration configuration";

/** @throws {VmmError} if the VM was not sent, and runs on. */
async function sendVm(
  machine: Machine,
  body: SendMigrationData,
): Promise<void> {
  const { owned, parts } = machine;
  const running = owned.state === "Running";
  machine.emit("migration-started");
  // The sandbox of the thread forbids the lookup of a host name.
  if (needsLookup(body.destination_url)) return parts.exit(killedBy("SIGSYS"));
  try {
    const peer = await connect(body.destination_url);
    machine.onExit(() => peer.close());
    await transfer(machine, peer, running, body);
    if (machine.exited) return;
    machine.emit("migration-finished");
  } catch (error) {
    if (machine.exited) return;
    machine.emit("migration-failed");
    machine.outgoing = undefined;
    const isResumed = running || !machine.release.sendsPaused;
    if (isResumed && owned.state === "Paused") resume(machine);
    throw error;
  }
  machine.outgoing = undefined;
  if (body.preserve_source) return;
  end(machine);
}

/** Ends the source, whose VM runs elsewhere. */
function end(machine: Machine): void {
  const { owned, parts } = machine;
  owned.devices.holds.freeAll();
  // A source that answers at the end shuts its VM down like any other.
  if (machine.release.sends === "at once") machine.instance = undefined;
  erase(machine);
  parts.events.emit("vmm", "shutdown");
  parts.exit(exitCode(0));
}

async function connect(url: string): Promise<Peer> {
  try {
    return await dial(url);
  } catch (error) {
    const kind = kindOf(url);
    const message = `Error connecting to ${kind} socket: ${osError(error)}`;
    throw new VmmError("failed", SEND, message);
  }
}

/** Sends the VM, and waits until the destination has it. */
async function transfer(
  machine: Machine,
  peer: Peer,
  running: boolean,
  { local }: SendMigrationData,
): Promise<void> {
  const { owned, stored, parts, release } = machine;
  peer.send("start");
  if (await peer.next() !== "ok") throw closed();
  if (!local && new RuleContext(stored).hasSharedMemory) {
    // Reading the size of the memory file is forbidden as well.
    peer.send(SHARED_MEMORY);
    return parts.exit(killedBy("SIGSYS"));
  }
  peer.send(stringify(shown(machine, stored))!);
  if (await peer.next() !== "ok") throw closed();
  machine.emit("migration-memory-iteration", { id: "0" });
  await Promise.race([machine.guest.sendMemory(), peer.ended]);
  if (machine.exited || peer.hasEnded) throw closed();
  if (running) pause(machine);
  else if (!release.sendsPaused) {
    machine.emit("pausing");
    peer.close();
    const [, ...chain] = stateError("pausedAlready").chain;
    throw new VmmError("failed", ...chain);
  }
  machine.emit("snapshotting");
  machine.emit("snapshotted");
  const vm: SentVm = { state: stateOf(owned), running };
  owned.devices.holds.unlockAll();
  peer.send(stringify(vm)!);
  const answer = await peer.next();
  peer.close();
  if (answer === "ok") return;
  lockDisks(stored, owned);
  throw closed();
}

/** Creates the error of a destination that has closed the connection. */
function closed(): VmmError {
  const reset = "Connection reset by peer (os error 104)";
  return new VmmError("failed", "Socket error", reset);
}
