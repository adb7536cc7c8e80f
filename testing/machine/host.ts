/** The host: its files, its sockets, and random addresses. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
} from "node:fs";
import { cpus } from "node:os";
import { assertSocketPath, HostSockets } from "./host_sockets.ts";
import { Taps } from "./taps.ts";

/** The treatment of files: `real` opens them, `any` takes each for present. */
export type Files = "real" | "any";

/** Access to the host. Failures are those of the operating system. */
export class Host {
  readonly sockets: HostSockets;
  readonly taps: Taps = new Taps();
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
    this.sockets = new HostSockets(files);
  }

  /** True if files are really opened. */
  get isReal(): boolean {
    return this.#files === "real";
  }

  /** Throws if a path does not exist; never with `any`. */
  assertExists(path: string): void {
    if (this.isReal) statSync(path);
  }

  /** Throws `code` if a path is not a device; never with `any`. */
  assertDevice(path: string, code: string): void {
    if (this.isReal && !statSync(path).isCharacterDevice()) throw failed(code);
  }

  /** Returns whether a path is a character device, which has no size. */
  isCharacterDevice(path: string): boolean {
    return this.isReal && statSync(path).isCharacterDevice();
  }

  /** Throws if a path is no socket; never with `any`. */
  assertSocket(path: string): void {
    assertSocketPath(path);
    if (!this.isReal) return;
    if (!statSync(path).isSocket()) throw failed("ECONNREFUSED");
  }

  /** Throws if the host does not know huge pages of a size. */
  assertHugePages(size: bigint): void {
    const known = this.isReal
      ? exists(hugePages(size))
      : size === 2n << 20n || size === 1n << 30n;
    if (!known) throw failed("ENODEV");
  }

  /** Throws if a file cannot be opened; never with `any`. */
  open(path: string, flags: "r" | "r+" = "r"): void {
    if (this.#files === "any") return;
    closeSync(openSync(path, flags));
  }

  /** Reads a part of a file; undefined if the file only counts as present. */
  read(path: string, bytes: number, at = 0): Uint8Array | undefined {
    if (this.#files === "any" && !exists(path)) return undefined;
    const content = new Uint8Array(bytes);
    const fd = openSync(path, "r");
    try {
      return content.subarray(0, readSync(fd, content, 0, bytes, at));
    } finally {
      closeSync(fd);
    }
  }

  /** Returns whether a path exists; always true with `any`. */
  exists(path: string): boolean {
    return this.#files === "any" || exists(path);
  }

  /** Returns whether a path is a directory. */
  isDirectory(path: string): boolean {
    return exists(path) && statSync(path).isDirectory();
  }

  /** The size of a file in bytes; 0 if the file only counts as present. */
  size(path: string): number {
    return exists(path) ? statSync(path).size : 0;
  }

  /** Changes the size of a file. */
  resize(path: string, size: number): void {
    if (this.#files === "real") truncateSync(path, size);
  }

  /** Returns whether the host has a CPU of this number; true with `any`. */
  hasCpu(cpu: number): boolean {
    return this.#files === "any" || cpu < cpus().length;
  }

  /** Returns whether huge pages of a size are free; true with `any`. */
  hasFreeHugePages(size: bigint): boolean {
    if (!this.isReal) return true;
    const count = readFileSync(`${hugePages(size)}/free_hugepages`, "utf8");
    return Number(count) > 0;
  }

  /** A random MAC address as the VMM generates them. */
  randomMac(): string {
    const rest = [...randomBytes(5)]
      .map((byte) => byte.toString(16).padStart(2, "0"));
    return ["2e", ...rest].join(":");
  }
}

function hugePages(size: bigint): string {
  return `/sys/kernel/mm/hugepages/hugepages-${size >> 10n}kB`;
}

function failed(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
