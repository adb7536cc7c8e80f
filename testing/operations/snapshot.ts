/** Writes a paused VM to a directory, and restores it. */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import type { Buffer } from "node:buffer";
import { join } from "node:path";
import type {
  RestoreConfig,
  VmSnapshotConfig,
} from "../../src/generated/types.gen.ts";
import { parse, stringify } from "../../src/json/json.ts";
import { type Config, totalRam } from "../../src/schema/config.ts";
import { openConsoles } from "../machine/consoles.ts";
import type { Host } from "../machine/host.ts";
import type { Instance } from "../machine/instance.ts";
import type { Machine } from "../machine/machine.ts";
import { osError, VmmError } from "../machine/vmm_error.ts";
import { restoreViolations } from "../../src/schema/rules/restore.ts";
import { updateZones } from "../machine/memory_zones.ts";
import { deserialize, SerdeError } from "../serde/deserialize.ts";
import type { PciLocation } from "../machine/live_device.ts";
import { throwFirst } from "../machine/validate.ts";
import { build, lockDisks } from "./boot.ts";
import { shown } from "./info.ts";
import { erase, resume } from "./run.ts";

const FILES = {
  config: "config.json",
  state: "state.json",
  memory: "memory-ranges",
} as const;

/** The content of this fake's `state.json`. */
export interface SavedState {
  /** The locations of devices, by id. */
  readonly devices: Readonly<Record<string, PciLocation>>;
  readonly vcpus: number;
}

/** Writes three files. A failure leaves the files that were written before. */
export function snapshot(
  machine: Machine,
  { destination_url: url }: VmSnapshotConfig,
): void {
  machine.emit("snapshotting");
  machine.emit("snapshotted");
  const fail = (...chain: string[]) =>
    new VmmError("failed", "Cannot send VM snapshot", ...chain);
  const directory = directoryOf(machine.parts.host, url, fail);
  const { stored, release: { namesSnapshotFile: named } } = machine;
  const state = stateOf(machine.owned);
  const files: [string, string, string | bigint][] = [
    [FILES.config, "VM config", stringify(shown(machine, stored))!],
    [FILES.state, "VM state", stringify(state)!],
    [FILES.memory, "memory", totalRam(stored.memory)],
  ];
  for (const [name, what, content] of files) {
    write(join(directory, name), content, (error) =>
      fail(
        "Failed to send migratable component snapshot",
        ...named ? [`Error creating ${what} snapshot file`] : [],
        osError(error),
      ));
  }
}

/** The state of a VM that is neither configuration nor memory. */
export function stateOf({ devices, vcpus }: Instance): SavedState {
  const places = devices.all.map(({ id, bdf, low }) => [id, { bdf, low }]);
  return { devices: Object.fromEntries(places), vcpus };
}

/** Creates a new file. A bigint is the size of a file without content. */
function write(
  path: string,
  content: string | bigint,
  fail: (error: unknown) => VmmError,
): void {
  try {
    const fd = openSync(path, "wx", 0o600);
    if (typeof content === "string") writeSync(fd, content);
    else ftruncateSync(fd, Number(content));
    closeSync(fd);
  } catch (error) {
    throw fail(error);
  }
}

/** Restores a VM. It stays paused unless `resume` is true. */
export function restore(machine: Machine, body: RestoreConfig): void {
  const { host } = machine.parts;
  const fail = (...chain: string[]) =>
    new VmmError("failed", "Cannot restore VM", ...chain);
  const directory = directoryOf(host, body.source_url, fail);
  const config = readConfig(machine, join(directory, FILES.config), fail);
  throwFirst(restoreViolations(body, config));
  const problem = updateZones(body.zone_updates ?? [], config);
  if (problem !== undefined) {
    const failure = "Error applying memory zone updates";
    throw new VmmError("failed", failure, problem);
  }
  const state = readState(join(directory, FILES.state), fail);
  machine.config = config;
  openConsoles(machine, config);
  try {
    restoreVm(machine, config, state);
    if (body.memory_restore_mode === "OnDemand") machine.guest.fillMemory();
    if (body.resume) resume(machine);
  } catch (error) {
    erase(machine);
    throw error;
  }
}

/** Builds the VM of a snapshot or of a migration. */
export function restoreVm(
  machine: Machine,
  config: Config,
  { devices, vcpus }: SavedState,
): void {
  const saved = new Map(Object.entries(devices));
  const instance = build(machine, config, saved);
  instance.vcpus = vcpus;
  machine.instance = instance;
  instance.state = "Paused";
  machine.emit("restoring");
  lockDisks(config, instance);
  machine.emit("restored");
}

type Fail = (...chain: string[]) => VmmError;

function directoryOf(host: Host, url: string, fail: Fail): string {
  const problem = (message: string) =>
    fail("Failed to send migratable component snapshot", message);
  if (!url.startsWith("file://")) {
    throw problem(`Could not extract path from URL: ${url}`);
  }
  const path = url.slice("file://".length);
  if (host.isDirectory(path)) return path;
  throw problem(`Destination is not a directory: ${JSON.stringify(path)}`);
}

function readConfig(machine: Machine, path: string, fail: Fail): Config {
  const bytes = read(path, "VM config", fail);
  try {
    return deserialize<Config>(machine.release, "VmConfig", bytes);
  } catch (error) {
    if (!(error instanceof SerdeError)) throw error;
    throw fail(
      "Failed to receive migratable component snapshot",
      "Error deserialising VM config snapshot",
      error.message,
    );
  }
}

function readState(path: string, fail: Fail): SavedState {
  return parse(read(path, "VM state", fail).toString("utf8")) as SavedState;
}

function read(path: string, what: string, fail: Fail): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fail(
      "Failed to receive migratable component snapshot",
      `Error opening ${what} snapshot file ${JSON.stringify(path)}`,
      osError(error),
    );
  }
}
