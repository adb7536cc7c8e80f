/** Finds what belongs to a work directory and should have ended with it. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** Processes, by their command lines. */
export function processesOf(directory: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    .filter((pid) => Number(pid) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.includes(directory)
          ? [`process ${pid}: ${line.replaceAll("\0", " ").trim()}`]
          : [];
      } catch {
        return [];
      }
    });
}

/**
 * Lists the processes, sockets, files of a VMM and temporary files that are
 * left. A process that is ending gets two seconds.
 */
export async function leftovers(directory: string): Promise<string[]> {
  for (let round = 0; round < 100; round++) {
    if (processesOf(directory).length === 0) break;
    await delay(20);
  }
  const paths = readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((path) =>
      isSocket(path) || FILES.test(basename(path)) ||
      path.startsWith(temporaryOf(directory) + "/")
    );
  return [...processesOf(directory), ...paths];
}

/** The directory of temporary files of a program in the work directory. */
export function temporaryOf(directory: string): string {
  return join(directory, "tmp");
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

/** The names of files that only a VMM or a workflow that runs has. */
const FILES = /^(events|stderr|vmm\.json)$|\.lock$|\.partial$/;
