/** The ways in which an operation fails. */
import type { Kind, Release } from "../release_type.ts";
import type { Signal } from "./exit.ts";

/**
 * A refusal. `kind` decides the status of the response; `chain` follows the
 * API's own messages in the body.
 */
export class VmmError extends Error {
  readonly kind: Kind;
  readonly chain: readonly string[];
  /** Milliseconds until the response, in which nothing else is answered. */
  afterMs = 0;

  constructor(kind: Kind, ...chain: string[]) {
    super(chain.at(-1));
    this.kind = kind;
    this.chain = chain;
  }
}

/** A signal ends the process, such as SIGSYS for a forbidden system call. */
export class Killed extends Error {
  readonly signal: Signal;

  constructor(signal: Signal) {
    super(signal);
    this.signal = signal;
  }
}

/** A request that never gets a response, nor does any later one. */
export class Hang extends Error {}

/** A bug of the VMM ends its thread, and the process with it. */
export class Panic extends Error {}

/** Creates the error of a failure in the device manager. */
export function deviceManagerError(...chain: string[]): VmmError {
  return new VmmError("failed", "Error from device manager", ...chain);
}

/** Creates the error of a failure in the memory manager. */
export function memoryManagerError(...chain: string[]): VmmError {
  return new VmmError("failed", "Memory manager error", ...chain);
}

/** Creates the error of a device id that the device tree does not have. */
export function unknownDevice(
  id: string,
  { namesDevice }: Release,
): VmmError {
  const words = "Failed to find device corresponding to the given identifier";
  return new VmmError(
    "unknown",
    "Error from device manager",
    namesDevice ? `${words}: ${id}` : words,
  );
}

/** Formats an error of the operating system in the words of Rust. */
export function osError(error: unknown): string {
  const code = (error as { code?: string }).code ?? "";
  const known = OS_ERRORS[code];
  return known === undefined
    ? String((error as Error).message)
    : `${known[1]} (os error ${known[0]})`;
}

const OS_ERRORS: { readonly [code: string]: [number, string] | undefined } = {
  EPERM: [1, "Operation not permitted"],
  ENOENT: [2, "No such file or directory"],
  ENXIO: [6, "No such device or address"],
  EBADF: [9, "Bad file descriptor"],
  EACCES: [13, "Permission denied"],
  EBUSY: [16, "Device or resource busy"],
  EEXIST: [17, "File exists"],
  ENODEV: [19, "No such device"],
  ENOTDIR: [20, "Not a directory"],
  EISDIR: [21, "Is a directory"],
  EINVAL: [22, "Invalid argument"],
  ENOTTY: [25, "Inappropriate ioctl for device"],
  ENOSPC: [28, "No space left on device"],
  EROFS: [30, "Read-only file system"],
  EADDRINUSE: [98, "Address already in use"],
  EADDRNOTAVAIL: [99, "Cannot assign requested address"],
  ECONNREFUSED: [111, "Connection refused"],
};

/**
 * Opens something of the host.
 *
 * @throws {VmmError} with the chain, in which `$` stands for the error.
 */
export function attempt<T>(open: () => T, ...chain: string[]): T {
  try {
    return open();
  } catch (error) {
    const message = osError(error);
    const full = chain.map((text) => text.replace("$", () => message));
    if (!chain.some((text) => text.includes("$"))) full.push(message);
    throw new VmmError("failed", ...full);
  }
}
