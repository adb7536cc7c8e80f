/** Finds the VMMs of a directory tree. */
import { type Dirent, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import { createClient } from "../client/create_client.ts";
import { ConnectionError } from "../errors/errors.ts";
import { isSocket } from "../vmm/vm_sockets.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { findProcess } from "./find_vmm.ts";
import { readRecord } from "./record.ts";
import { VmmDirectory } from "./vmm_directory.ts";

/** A directory in which a VMM lives or has lived. */
export interface VmmListing {
  /** The absolute path, for `connectVmm` and `spawnVmm`. */
  readonly directory: string;
  /** The absolute path of the API socket. */
  readonly socketPath: string;
  /** The process id; undefined if the id is unknown, even if the VMM lives. */
  readonly pid?: number;
  /** False if the VMM has ended and left its files. */
  readonly isAlive: boolean;
}

/**
 * Lists the VMMs that `spawnVmm` started in directories below `parent`, sorted
 * by their paths. The list leaves out symbolic links, directories that cannot
 * be read, and directories inside the directory of a VMM. It is empty if
 * `parent` is missing.
 *
 * @throws {InvalidRequestError} `parent` when it is not a valid path.
 *
 * @example
 * ```ts
 * import { connectVmm, listVmms } from "@chv/cloud-hypervisor/process";
 *
 * for (const { directory, isAlive } of await listVmms("/var/lib/vms")) {
 *   if (!isAlive) continue;
 *   const vmm = await connectVmm(directory);
 *   console.log(directory, vmm.pid, (await vmm.client.vm.info()).state);
 * }
 * ```
 */
export async function listVmms(parent: string): Promise<VmmListing[]> {
  const root = resolve(checkPath("parent", parent));
  return await Promise.all(directoriesIn(root).sort().map(describe));
}

/** The directories with the files of a VMM. */
function directoriesIn(path: string): string[] {
  const entries = entriesOf(path);
  const hasVmm = entries.some((entry) =>
    entry.name === "vmm.json" && entry.isFile() ||
    entry.name === "api.sock" && isSocket(join(path, entry.name))
  );
  if (hasVmm) return [path];
  return entries.filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => directoriesIn(join(path, name)));
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    // It is gone, is no directory, or belongs to another user.
    if (PASSED_OVER.has((error as { code?: unknown }).code)) return [];
    throw error;
  }
}

async function describe(directory: string): Promise<VmmListing> {
  const { socketPath, recordPath } = new VmmDirectory(directory, "files");
  const scope = new AbortScope({});
  try {
    const record = readRecord(recordPath);
    const client = createClient(socketPath);
    const id = await findProcess(record, client, scope);
    const pid = typeof id === "object" ? id.pid : record?.pid;
    return {
      directory,
      socketPath,
      ...pid !== undefined && { pid },
      isAlive: id !== undefined,
    };
  } catch (error) {
    const { code } = error as ConnectionError;
    if (code === "runtime_permission") throw error;
    // Only a VMM that lives denies the access to its socket.
    const isAlive = error instanceof ConnectionError;
    return { directory, socketPath, isAlive };
  } finally {
    scope.close();
  }
}

const PASSED_OVER: ReadonlySet<unknown> = new Set([
  "EACCES",
  "ENOENT",
  "ENOTDIR",
  "EPERM",
]);
