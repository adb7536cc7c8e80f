/** Receives a VM from another VMM. */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { ReceiveMigrationData } from "../../src/generated/types.gen.ts";
import { parse } from "../../src/json/json.ts";
import type { Config } from "../../src/schema/config.ts";
import { openConsoles } from "../machine/consoles.ts";
import type { Machine } from "../machine/machine.ts";
import { updateZones } from "../machine/memory_zones.ts";
import { receiverProblem } from "../machine/migration_parameters.ts";
import {
  kindOf,
  listen,
  type Listener,
  needsLookup,
  type Peer,
} from "../machine/migration_stream.ts";
import { Killed, osError, VmmError } from "../machine/vmm_error.ts";
import { deserialize } from "../serde/deserialize.ts";
import { resume } from "./run.ts";
import { type SentVm, SHARED_MEMORY } from "./send_migration.ts";
import { restoreVm } from "./snapshot.ts";

const RECEIVE = "Failed to receive migratable component snapshot";

/** Waits for a VM. Until it is there, the VMM answers no other request. */
export async function receive(
  machine: Machine,
  body: ReceiveMigrationData,
): Promise<void> {
  const { release } = machine;
  const problem = receiverProblem(release, body);
  if (problem !== undefined) {
    const outer = release.receiverWords === "late"
      ? []
      : ["Invalid receive migration configuration"];
    throw new VmmError("failed", RECEIVE, ...outer, ...problem);
  }
  const { receiver_url: url } = body;
  // The sandbox forbids the lookup of a host name.
  if (needsLookup(url)) throw new Killed("SIGSYS");
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
    const kind = kindOf(url);
    const path = url.slice("unix:".length);
    // Runtimes report a missing directory in different ways.
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
): Promise<void> {
  await nextOf(peer);
  peer.send("ok");
  const sent = await nextOf(peer);
  if (sent === SHARED_MEMORY) throw new Killed("SIGSYS");
  let last: string | undefined;
  try {
    const bytes = Buffer.from(sent);
    const config = deserialize<Config>(machine.release, "VmConfig", bytes);
    const problem = updateZones(zone_updates, config);
    if (problem !== undefined) throw new Error(problem);
    machine.config = config;
    openConsoles(machine, config);
    peer.send("ok");
    // If the connection ends here, the configuration stays.
    last = await peer.next();
    if (last !== undefined) {
      const { state, running } = parse(last) as SentVm;
      restoreVm(machine, config, state);
      if (running) resume(machine);
    }
  } catch {
    machine.instance?.devices.holds.freeAll();
    machine.instance = undefined;
    machine.config = undefined;
    machine.emit("migration-receive-failed");
    peer.send("error");
    peer.close();
    // Old releases report success, and have no VM.
    if (machine.release.sends === "at the end") return;
    throw new VmmError(
      "failed",
      "Failed to complete migration for migratable component",
      "Migration was aborted",
    );
  }
  if (last === undefined) throw broken();
  peer.send("ok");
  peer.close();
  machine.emit("migration-receive-finished");
}

/** Returns the next message of the source. */
async function nextOf(peer: Peer): Promise<string> {
  const message = await peer.next();
  if (message === undefined) throw broken();
  return message;
}

/** Creates the error of a source that has closed the connection. */
function broken(): VmmError {
  return new VmmError("failed", "Socket error", "failed to fill whole buffer");
}
