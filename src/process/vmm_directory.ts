/** The directory of a VMM: its socket, its events and its stderr. */
import { lstatSync, mkdtempSync, openSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import { createClient } from "../client/create_client.ts";
import { ConnectionError, InvalidRequestError } from "../errors/errors.ts";
import { readRecord, removeFile } from "./record.ts";
import { SocketCleaner } from "./socket_cleaner.ts";
import {
  cannotOpen,
  createPrivateDirectory,
} from "../vmm/private_directory.ts";
import { removeRestoreDirectories } from "../vmm/restore_directory.ts";
import { notePathOf } from "../vmm/workflow_note.ts";

/**
 * The files that are removed at the end: all of them, or only the VMM's own.
 */
type OwnedPart = "all" | "directory" | "files";

export class VmmDirectory {
  /** Absolute. */
  readonly path: string;
  readonly socketPath: string;
  readonly eventsPath: string;
  readonly stderrPath: string;
  /** The stdout of a VMM that outlives its script. */
  readonly stdoutPath: string;
  /** The file by which other scripts find the VMM. */
  readonly recordPath: string;
  /** The socket of the serial port, where `spawnVmm` sets it. */
  readonly serialPath: string;
  readonly #owned: OwnedPart;

  constructor(path: string, owned: OwnedPart) {
    this.path = path;
    this.socketPath = join(path, "api.sock");
    this.eventsPath = join(path, "events");
    this.stderrPath = join(path, "stderr");
    this.stdoutPath = join(path, "stdout");
    this.recordPath = join(path, "vmm.json");
    this.serialPath = join(path, "serial.sock");
    this.#owned = owned;
  }

  /** Creates a private temporary directory. */
  static createPrivate(): VmmDirectory {
    return new VmmDirectory(mkdtempSync(join(tmpdir(), "chv-vmm-")), "all");
  }

  /**
   * Opens a directory of the user, or creates it.
   *
   * @throws {InvalidRequestError} `directory` when another VMM uses it.
   */
  static async open(path: string): Promise<VmmDirectory> {
    const directory = absolute(path);
    inUse.add(directory);
    try {
      return await VmmDirectory.#createOrClean(directory);
    } catch (error) {
      inUse.delete(directory);
      // Failures of node:fs, such as a missing parent.
      if (error instanceof Error && "syscall" in error) {
        throw cannotOpen(directory, error);
      }
      throw error;
    }
  }

  /**
   * The directory of a VMM that outlives its script. It may be missing, or a
   * VMM may use it.
   *
   * @throws {InvalidRequestError} `directory` when a VMM that ends with this
   * script uses it.
   */
  static shared(path: string): VmmDirectory {
    return new VmmDirectory(absolute(path), "files");
  }

  /** Creates the directory, unless it exists; true if it was created. */
  create(): boolean {
    try {
      const stat = lstatSync(this.path, { throwIfNoEntry: false });
      if (stat !== undefined) return false;
      createPrivateDirectory(this.path);
      return true;
    } catch (error) {
      // Another script has created it just now.
      if ((error as { code?: unknown }).code === "EEXIST") return false;
      throw cannotOpen(this.path, error);
    }
  }

  static async #createOrClean(directory: string): Promise<VmmDirectory> {
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) {
      createPrivateDirectory(directory);
      return new VmmDirectory(directory, "directory");
    }
    const result = new VmmDirectory(directory, "files");
    await assertUnused(result.socketPath);
    // A script that was ended by SIGKILL left them.
    const { sockets = [] } = readRecord(result.recordPath) ?? {};
    new SocketCleaner({ sockets }).remove();
    result.removeFiles();
    return result;
  }

  /** Leaves the directory as it is: another VMM uses it. */
  detach(): void {
    inUse.delete(this.path);
  }

  /**
   * Creates a file and opens it for appending. It fails where something exists,
   * so a symbolic link is never followed.
   */
  createFile(path: string): number {
    return openSync(path, "ax", 0o600);
  }

  /** Tells whether another VMM listens on the socket by now. */
  async isTaken(): Promise<boolean> {
    try {
      await assertUnused(this.socketPath);
      return false;
    } catch (error) {
      return error instanceof InvalidRequestError;
    }
  }

  /**
   * Removes the owned part; synchronous, for the end of a script. A VMM that is
   * dying may still create a file, so the removal is repeated then.
   */
  remove({ dying = false }: { dying?: boolean } = {}): void {
    this.detach();
    this.#remove();
    for (let round = 0; dying && round < LAST_ROUNDS; round++) {
      Atomics.wait(PAUSE, 0, 0, LAST_ROUND_MS);
      this.#remove();
    }
  }

  #remove(): void {
    try {
      if (this.#owned === "all") {
        rmSync(this.path, { recursive: true, force: true });
        return;
      }
      this.removeFiles();
      if (this.#owned === "directory") rmdirSync(this.path);
    } catch (error) {
      // A file of the user stays; the VMM may have created one just now.
      const { code } = error as { code?: string };
      if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
    }
  }

  /** Removes the VMM's own files, the record last. */
  removeFiles(): void {
    removeRestoreDirectories(this.path, true);
    const { socketPath, recordPath } = this;
    removeFile(socketPath);
    removeFile(`${socketPath}.lock`);
    removeFile(notePathOf(socketPath));
    // The workflow ownPaths() gives a clone this socket.
    removeFile(join(this.path, "vsock.sock"));
    removeFile(this.serialPath);
    removeFile(this.eventsPath);
    removeFile(this.stderrPath);
    removeFile(this.stdoutPath);
    removeFile(`${recordPath}.partial`);
    removeFile(recordPath);
  }
}

/**
 * @throws {InvalidRequestError} `directory` for a path that the VMM cannot
 * have, or when a VMM that ends with this script uses it.
 */
function absolute(path: string): string {
  const directory = resolve(checkPath("directory", path));
  if (directory.includes('"')) {
    throw new InvalidRequestError(
      "invalid_request",
      "directory",
      "the VMM's command line cannot quote a path with a double quote",
    );
  }
  if (!inUse.has(directory)) return directory;
  throw directoryInUse(directory, "a VMM of this script");
}

/** The directories that VMMs of this script use. */
const inUse = new Set<string>();

async function assertUnused(socketPath: string): Promise<void> {
  const { vmm } = createClient(socketPath);
  try {
    const { pid } = await vmm.ping({ timeoutMs: PROBE_MS });
    throw directoryInUse(socketPath, `the VMM with pid ${pid}`);
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    const code = error instanceof ConnectionError ? error.code : undefined;
    if (code === "socket_missing" || code === "refused") return;
    if (code === "permission_denied" || code === "runtime_permission") {
      throw error;
    }
    throw directoryInUse(socketPath, "a program that does not answer");
  }
}

/** The error for a directory that another program uses. */
export function directoryInUse(
  path: string,
  owner: string,
): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    "directory",
    `"${path}" is in use by ${owner}; use connectVmm, or another directory`,
  );
}

/** The pid of a VMM that is busy longer is not known. */
const PROBE_MS = 2000;

const LAST_ROUNDS = 4;
const LAST_ROUND_MS = 2;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
