/** The directory of a VMM: its socket, its events, what it says on stderr. */
import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient } from "../client/create_client.ts";
import { ConnectionError, InvalidRequestError } from "../errors/errors.ts";
import { createPrivateDirectory } from "../vmm/private_directory.ts";

export class VmmDirectory {
  /** Absolute. */
  readonly directory: string;
  readonly socketPath: string;
  readonly eventsPath: string;
  readonly stderrPath: string;
  /** What is removed of the directory itself at the end. */
  readonly #made: "all" | "directory" | "nothing";

  constructor(directory: string, made: "all" | "directory" | "nothing") {
    this.directory = directory;
    this.socketPath = join(directory, "api.sock");
    this.eventsPath = join(directory, "events");
    this.stderrPath = join(directory, "stderr");
    this.#made = made;
  }

  /** A private directory of its own. */
  static createPrivate(): VmmDirectory {
    return new VmmDirectory(mkdtempSync(join(tmpdir(), "chv-vmm-")), "all");
  }

  /**
   * A directory that was given, made if it is missing.
   *
   * @throws {InvalidRequestError} `directory` when a VMM lives in it.
   */
  static async open(path: string): Promise<VmmDirectory> {
    const directory = resolve(path);
    if (inUse.has(directory)) refuse(directory, "a VMM of this script");
    inUse.add(directory);
    try {
      return await VmmDirectory.#take(directory);
    } catch (error) {
      inUse.delete(directory);
      throw error;
    }
  }

  static async #take(directory: string): Promise<VmmDirectory> {
    const found = lstatSync(directory, { throwIfNoEntry: false });
    if (found === undefined) {
      createPrivateDirectory(directory);
      return new VmmDirectory(directory, "directory");
    }
    const place = new VmmDirectory(directory, "nothing");
    await assertUnused(place.socketPath);
    place.#unlink();
    return place;
  }

  /** Lets go of the directory without a touch: it is another VMM's. */
  detach(): void {
    inUse.delete(this.directory);
  }

  /**
   * Creates a file that nobody else had before, and opens it for writing: a
   * link that somebody put there is not followed.
   */
  createFile(path: string): number {
    return openSync(path, "wx", 0o600);
  }

  /** The end of what the VMM said on stderr. */
  stderr(): string {
    let fd: number;
    try {
      fd = openSync(this.stderrPath, "r");
    } catch {
      return "";
    }
    try {
      const size = lstatSync(this.stderrPath).size;
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const read = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString("utf8", 0, read);
    } finally {
      closeSync(fd);
    }
  }

  /** Whether a VMM that is not this one's listens on the socket by now. */
  async isTaken(): Promise<boolean> {
    try {
      await assertUnused(this.socketPath);
      return false;
    } catch (error) {
      return error instanceof InvalidRequestError;
    }
  }

  /**
   * Removes what was made; synchronous, for the end of a script. A VMM that is
   * dying may still be making a file, so then it looks again.
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
      if (this.#made === "all") {
        rmSync(this.directory, { recursive: true, force: true });
        return;
      }
      this.#unlink();
      if (this.#made === "directory") rmdirSync(this.directory);
    } catch (error) {
      // The user put something there, which stays; or the VMM did just now.
      const { code } = error as { code?: string };
      if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
    }
  }

  #unlink(): void {
    const { socketPath, eventsPath, stderrPath } = this;
    for (
      const path of [socketPath, `${socketPath}.lock`, eventsPath, stderrPath]
    ) {
      try {
        unlinkSync(path);
      } catch (error) {
        if ((error as { code?: unknown }).code !== "ENOENT") throw error;
      }
    }
  }
}

/** The directories that were given, of VMMs of this script. */
const inUse = new Set<string>();

async function assertUnused(socketPath: string): Promise<void> {
  const { vmm } = createClient(socketPath);
  try {
    const { pid } = await vmm.ping({ timeoutMs: PROBE_MS });
    refuse(socketPath, `a VMM with pid ${pid}`);
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    const code = error instanceof ConnectionError ? error.code : undefined;
    if (code === "socket_missing" || code === "refused") return;
    if (code === "permission_denied" || code === "runtime_permission") {
      throw error;
    }
    refuse(socketPath, "something that does not answer now");
  }
}

function refuse(path: string, who: string): never {
  throw new InvalidRequestError(
    "invalid_request",
    "directory",
    `${who} lives in "${path}": use connectVmm, or another directory`,
  );
}

/** A VMM that is busy longer than this is refused without its pid. */
const PROBE_MS = 2000;

const TAIL_BYTES = 8192;

const LAST_ROUNDS = 4;
const LAST_ROUND_MS = 2;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
