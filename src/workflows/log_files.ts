/** Protects the logs of running VMs from a restore. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { InvalidRequestError } from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { logFilesOf } from "./config_paths.ts";

/**
 * A VMM empties the file of a console in mode `File` when it opens the file.
 *
 * @throws {InvalidRequestError} `directory` when another process writes to a
 * log that the restore would empty.
 */
export function assertLogsUnused(config: VmConfig): void {
  for (const path of logFilesOf(config)) {
    const pid = writerOf(path);
    if (pid === undefined) continue;
    throw new InvalidRequestError(
      "invalid_request",
      "directory",
      `the snapshot names the log "${path}", which the process ${pid} writes: the restore would empty the log; end that VM, or change "file" in config.json`,
    );
  }
}

/** The process that has a file open for writing, as far as can be known. */
function writerOf(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined || file.size === 0) return undefined;
  return list("/proc").filter((name) => /^\d+$/.test(name)).find((pid) =>
    list(`/proc/${pid}/fd`).some((fd) => {
      try {
        const { dev, ino } = statSync(`/proc/${pid}/fd/${fd}`);
        return dev === file.dev && ino === file.ino && canWrite(pid, fd);
      } catch {
        return false;
      }
    })
  );
}

function canWrite(pid: string, fd: string): boolean {
  const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
  const [, flags = "0"] = /^flags:\s*([0-7]+)$/m.exec(info) ?? [];
  return (parseInt(flags, 8) & ACCESS_MODE) !== 0;
}

/** The names in a directory; none where the script may not look. */
function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** O_WRONLY and O_RDWR. */
const ACCESS_MODE = 3;
