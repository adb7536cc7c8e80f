/** What the fake sees of the host: files, locks on disk images, randomness. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  truncateSync,
} from "node:fs";

/** How files are looked at. */
export type Files = "real" | "any";

/** The first bytes of a file, or a failure as the operating system gives it. */
export class Host {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Fails where the file cannot be opened; `any` opens everything. */
  open(path: string, flags: "r" | "r+" = "r"): void {
    if (this.#files === "any") return;
    closeSync(openSync(path, flags));
  }

  /** The first bytes of a file; undefined where it is only said to be there. */
  head(path: string, bytes: number): Uint8Array | undefined {
    if (this.#files === "any" && !exists(path)) return undefined;
    const head = new Uint8Array(bytes);
    const fd = openSync(path, "r");
    try {
      return head.subarray(0, readSync(fd, head, 0, bytes, 0));
    } finally {
      closeSync(fd);
    }
  }

  /** Whether a path exists. */
  exists(path: string): boolean {
    return this.#files === "any" || exists(path);
  }

  /** Whether a path is a directory. */
  isDirectory(path: string): boolean {
    return exists(path) && statSync(path).isDirectory();
  }

  /** The size of a file in bytes; 0 where it is only said to be there. */
  size(path: string): number {
    return exists(path) ? statSync(path).size : 0;
  }

  /** Sets the size of a file. */
  resize(path: string, size: number): void {
    if (this.#files === "real") truncateSync(path, size);
  }

  /** A MAC address as the VMM makes them up. */
  randomMac(): string {
    const rest = [...randomBytes(5)].map((byte) => hex(byte));
    return ["2e", ...rest].join(":");
  }
}

/** A lock on a disk image. */
export interface Lock {
  release(): void;
}

/** The image files that fakes of this process hold. */
const locked = new Map<string, { readers: number; writer: boolean }>();

/** Locks an image, as every VMM does; undefined where another holds it. */
export function lockImage(path: string, readonly: boolean): Lock | undefined {
  const key = exists(path) ? realpathSync(path) : path;
  const holders = locked.get(key) ?? { readers: 0, writer: false };
  if (holders.writer || !readonly && holders.readers > 0) return undefined;
  if (readonly) holders.readers++;
  else holders.writer = true;
  locked.set(key, holders);
  return {
    release: () => {
      if (readonly) holders.readers--;
      else holders.writer = false;
      if (holders.readers === 0 && !holders.writer) locked.delete(key);
    },
  };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
