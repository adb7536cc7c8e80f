/**
 * Identifies a process. The kernel gives the number of an ended process to a
 * new one, so the start time is compared as well.
 */
import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine. */
export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat; undefined where it could not be read. */
  readonly startTime?: number | undefined;
  /** The boot of the machine to which the start time belongs. */
  readonly bootId?: string | undefined;
}

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessId {
  if (!canReadProc()) return { pid };
  return { pid, startTime: startTimeOf(pid), bootId: bootIdOf() };
}

/** Tells whether the process runs; undefined where that cannot be told. */
export function runs(
  { pid, startTime, bootId }: ProcessId,
): boolean | undefined {
  if (!canReadProc()) return undefined;
  if (bootId !== undefined && bootId !== bootIdOf()) return false;
  const current = startTimeOf(pid);
  if (current === undefined) return false;
  return startTime === undefined ? undefined : current === startTime;
}

/**
 * Tells whether the script can read /proc. Deno allows it only to scripts with
 * all permissions, and asks the user of a terminal about everything that is
 * neither allowed nor denied.
 */
export function canReadProc(): boolean {
  const { Deno: runtime } = globalThis as {
    Deno?: { permissions?: Permissions };
  };
  const state = runtime?.permissions?.querySync({ name: "read" }).state;
  if (state !== undefined && state !== "granted") return false;
  return bootIdOf() !== "";
}

/** The processes of which one argument is `argument`, lowest pid first. */
export function processesWith(argument: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).sort((a, b) => a - b)
    .filter((pid) => hasArgument(pid, argument));
}

/** Tells whether `argument` is one of the arguments of the process. */
export function hasArgument(pid: number, argument: string): boolean {
  return read(`/proc/${pid}/cmdline`)?.split("\0").includes(argument) ?? false;
}

interface Permissions {
  querySync(descriptor: { name: "read" }): { readonly state: string };
}

/** Undefined for a process that has ended, also if nobody has reaped it yet. */
function startTimeOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the name in parentheses, which may contain any.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(")") + 2)
    .split(" ") ?? [];
  if (state === undefined || state === "Z" || state === "X") return undefined;
  return Number(fields[START_TIME]);
}

/** Empty if it cannot be read. */
function bootIdOf(): string {
  bootId ??= read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return bootId;
}

let bootId: string | undefined;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has ended, or the runtime denies it.
    return undefined;
  }
}

/** The index of field 22 among the fields after the state, which is field 3. */
const START_TIME = 22 - 4;
