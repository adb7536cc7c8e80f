/** A VM that leaves for another VMM, or comes from one. */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../src/generated/types.gen.ts";
import { parse, stringify } from "../../src/json/json.ts";
import type { Config } from "../../src/schema/config.ts";
import { openConsoles } from "../machine/consoles.ts";
import { stateError } from "../machine/state_error.ts";
import {
  dial,
  listen,
  type Listener,
  needsLookup,
  type Peer,
} from "../machine/migration_stream.ts";
import type { Machine } from "../machine/machine.ts";
import { Killed, osError, VmmError } from "../machine/vmm_error.ts";
import { RuleContext } from "../../src/schema/rules/context.ts";
import {
  receiverProblem,
  senderProblem,
} from "../machine/migration_parameters.ts";
import { updateZones } from "../machine/memory_zones.ts";
import { deserialize } from "../serde/deserialize.ts";
import { lockDisks } from "./boot.ts";
import { info, shown } from "./info.ts";
import { erase, pause, resume } from "./run.ts";
import { restoreVm, type SavedState, stateOf } from "./snapshot.ts";

/** What a VM is on its way. */
interface Parcel {
  readonly config: unknown;
  readonly state: SavedState;
  readonly running: boolean;
}

const SEND = "Failed to send migratable component snapshot";
const RECEIVE = "Failed to receive migratable component snapshot";

/** Answers when the work has begun; the outcome is an event, or the end. */
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
  // The answer goes out before anything is sent.
  setImmediate(() => void leave(machine, body));
}

async function leave(machine: Machine, body: SendMigrationData) {
  const { owned } = machine;
  const running = owned.state === "Running";
  machine.emit("migration-started");
  try {
    const peer = await dial(body.destination_url);
    machine.onExit(() => peer.close());
    await deliver(machine, peer, running);
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
  machine.instance = undefined;
  erase(machine);
  machine.parts.events.emit("vmm", "shutdown");
  machine.parts.exit(0, false);
}

/** Sends the VM, and waits until the other side has it. */
async function deliver(machine: Machine, peer: Peer, running: boolean) {
  const { owned, stored } = machine;
  peer.send("start");
  if (await peer.next() !== "ok") throw new Error("the other side is gone");
  machine.emit("migration-memory-iteration", { id: "0" });
  if (running) pause(machine);
  machine.emit("snapshotting");
  machine.emit("snapshotted");
  const parcel: Parcel = {
    config: shown(machine, stored),
    state: stateOf(owned),
    running,
  };
  owned.devices.release();
  peer.send(stringify(parcel)!);
  const answer = await peer.next();
  peer.close();
  if (answer === "ok") return;
  lockDisks(stored, owned);
  throw new Error("the other side did not take it");
}

/** Waits for a VM; meanwhile the VMM answers nothing else. */
export async function receive(
  machine: Machine,
  body: ReceiveMigrationData,
): Promise<void> {
  const problem = receiverProblem(machine.release, body);
  if (problem !== undefined) {
    throw new VmmError(
      "failed",
      RECEIVE,
      "Invalid receive migration configuration",
      ...problem,
    );
  }
  const { receiver_url: url } = body;
  // Looking a host up is what the real one's sandbox forbids.
  if (needsLookup(url)) throw new Killed();
  const listener = await bind(url);
  machine.onExit(() => listener.close());
  machine.emit("migration-receive-ready");
  const peer = await listener.peer;
  machine.onExit(() => peer.close());
  listener.close();
  machine.emit("migration-receive-started");
  await take(machine, peer, body);
}

async function bind(url: string): Promise<Listener> {
  try {
    return await listen(url);
  } catch (error) {
    const kind = url.startsWith("unix:") ? "UNIX" : "TCP";
    const path = url.slice("unix:".length);
    // Where the directory is missing, the runtimes say something else.
    const missing = kind === "UNIX" && !existsSync(dirname(path));
    throw new VmmError(
      "failed",
      RECEIVE,
      `Error binding to ${kind} socket`,
      osError(missing ? { code: "ENOENT" } : error),
    );
  }
}

async function take(
  machine: Machine,
  peer: Peer,
  { zone_updates = [] }: ReceiveMigrationData,
) {
  await peer.next();
  peer.send("ok");
  const line = await peer.next();
  if (line === undefined) {
    throw new VmmError("failed", "Socket error", "failed to fill whole buffer");
  }
  try {
    const { config: sent, state, running } = parse(line) as Parcel;
    const bytes = Buffer.from(stringify(sent)!);
    const config = deserialize<Config>(machine.release, "VmConfig", bytes);
    const problem = updateZones(zone_updates, config);
    if (problem !== undefined) throw new Error(problem);
    machine.config = config;
    openConsoles(machine, config);
    restoreVm(machine, config, state);
    if (running) resume(machine);
  } catch {
    machine.instance?.devices.release();
    machine.instance = undefined;
    machine.config = undefined;
    machine.emit("migration-receive-failed");
    peer.send("error");
    peer.close();
    throw new VmmError(
      "failed",
      "Failed to complete migration for migratable component",
      "Migration was aborted",
    );
  }
  peer.send("ok");
  peer.close();
  machine.emit("migration-receive-finished");
}
