/** A file that is appended to, and begun anew when it is full. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";

/** Options of the rotation of a file. */
export interface RotationOptions {
  /** Bytes of a file. */
  readonly maxBytes: number;
  /**
   * The number of full files that are kept, named `file.1` (the newest) and so
   * on.
   */
  readonly keep: number;
}

export class RotatingFile {
  readonly #path: string;
  readonly #options: RotationOptions;
  #fd: number;
  #size: number;

  /** Opens the file for appending; a new one gets mode 0600. */
  constructor(path: string, options: RotationOptions) {
    this.#path = path;
    this.#options = options;
    this.#fd = openForAppending(path);
    this.#size = fstatSync(this.#fd).size;
  }

  /** Appends all of the bytes; a full file is rotated first. */
  append(bytes: Uint8Array): void {
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) {
      this.#rotate();
    }
    let rest = bytes;
    while (rest.length > 0) {
      const size = writeSync(this.#fd, rest);
      rest = rest.subarray(size);
      this.#size += size;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    const { keep } = this.#options;
    for (let number = keep - 1; number > 0; number--) {
      renameIfThere(`${this.#path}.${number}`, `${this.#path}.${number + 1}`);
    }
    if (keep > 0) renameIfThere(this.#path, `${this.#path}.1`);
    const fd = openForAppending(this.#path, keep === 0);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = 0;
  }
}

/** A link that somebody put there is not followed. */
function openForAppending(path: string, truncates = false): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_TRUNC } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;
  return openSync(path, truncates ? flags | O_TRUNC : flags, 0o600);
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
}
