/** The file `vmm.json` of a VMM's directory, by which other scripts find it. */
import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { replaceFile } from "../vmm/replace_file.ts";
import type { ProcessId } from "../vmm/process_id.ts";

/** The VMM that `spawnVmm` started in a directory. */
export interface VmmRecord extends Partial<ProcessId> {
  /** The process; undefined while it is being started. */
  readonly pid?: number;
  /** Empty while the directory is only created. */
  readonly command: readonly string[];
  readonly socketPath: string;
  readonly eventsPath: string;
  /** The directory in which the VMM was started, and finds relative paths. */
  readonly cwd: string;
  /** The absolute paths of sockets that the VMM may have created for its VM. */
  readonly sockets: readonly string[];
  /** True if the library created the directory, and should remove it. */
  readonly ownsDirectory: boolean;
}

/** The record of a VMM that is about to start. */
export function recordOf(
  command: readonly string[],
  { socketPath, eventsPath }: Pick<VmmRecord, "socketPath" | "eventsPath">,
  ownsDirectory = false,
): VmmRecord {
  const cwd = process.cwd();
  return { command, socketPath, eventsPath, cwd, sockets: [], ownsDirectory };
}

/**
 * Replaces the record. It is not synced to the disk: no VMM survives a power
 * loss.
 */
export function writeRecord(path: string, record: VmmRecord): void {
  replaceFile(path, `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Writes a record into a directory that was created just now, unless another
 * script has written one or removed the directory since.
 */
export function claimDirectory(path: string, record: VmmRecord): void {
  try {
    writeFileSync(path, JSON.stringify(record), { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "EEXIST" && code !== "ENOENT") throw error;
  }
}

/** True for the record of {@linkcode claimDirectory}. */
export function isClaim({ pid, command }: VmmRecord): boolean {
  return pid === undefined && command.length === 0;
}

/** Undefined if there is no record, or none that can be understood. */
export function readRecord(path: string): VmmRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as unknown;
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Adds sockets to the record. */
export function recordSockets(path: string, sockets: Iterable<string>): void {
  const record = readRecord(path);
  if (record === undefined) return;
  const all = new Set([...record.sockets, ...sockets]);
  if (all.size === record.sockets.length) return;
  writeRecord(path, { ...record, sockets: [...all] });
}

/** Removes a file, unless it is missing. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
}

function isRecord(value: unknown): value is VmmRecord {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startTime, bootId, ...rest } = value as Record<string, unknown>;
  const { socketPath, eventsPath, cwd, command, sockets } = rest;
  return (pid === undefined || isPid(pid)) &&
    (startTime === undefined || typeof startTime === "number") &&
    (bootId === undefined || typeof bootId === "string") &&
    [socketPath, eventsPath, cwd].every((path) => typeof path === "string") &&
    Array.isArray(command) && Array.isArray(sockets);
}

/** The first process and negative numbers, which are groups, are no VMM. */
function isPid(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 1;
}
