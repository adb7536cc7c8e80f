/** The events of a process that has ended. */
import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Records } from "../events/records.ts";
import { VmmExitedError } from "../errors/errors.ts";
import { VmHistory } from "../vmm/vm_history.ts";

/** Reads the end of the file; undefined where it cannot be read. */
export function readLastEvents(path: string): VmHistory | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, MAX_BYTES));
    const start = size - bytes.length;
    const length = readSync(fd, bytes, 0, bytes.length, start);
    const history = new VmHistory();
    const records = new Records(start);
    for (const event of records.add(bytes.subarray(0, length))) {
      history.add(event);
    }
    return history;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Ignores that the VMM has ended, if its guest ran and the VMM ended without a
 * failure: a guest may power off before the VMM answers the script.
 */
export async function orHasRun(
  start: Promise<unknown>,
  eventsPath: string,
): Promise<void> {
  try {
    await start;
  } catch (error) {
    const isEnd = error instanceof VmmExitedError && error.exitCode === 0;
    if (!isEnd || !readLastEvents(eventsPath)?.hasRun) throw error;
  }
}

/** More than a thousand events. */
const MAX_BYTES = 256 << 10;
