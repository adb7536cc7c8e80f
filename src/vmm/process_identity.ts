/** The identity of a process, which no later process has. */
import { readFileSync } from "node:fs";
import process from "node:process";

/** A process of this host. */
export interface ProcessIdentity {
  readonly pid: number;
  /**
   * The boot and the time of the process's start in it. Undefined where `/proc`
   * cannot be read, such as in Deno without `-A`.
   */
  readonly start?: string | undefined;
}

/** The identity of this process. */
export function ownProcess(): ProcessIdentity {
  const { pid } = process;
  return { pid, start: startOf(pid) };
}

/** Tells whether a process runs; undefined where that cannot be known. */
export function isRunning(
  { pid, start }: ProcessIdentity,
): boolean | undefined {
  if (start === undefined || startOf(process.pid) === undefined) {
    return undefined;
  }
  return startOf(pid) === start;
}

/** Field 22 of `/proc/<pid>/stat`, and the id of the boot. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program, in parentheses, may contain anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that waits to be reaped does nothing any more.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${boot} ${fields[22 - 3]}`;
  } catch {
    return undefined;
  }
}
