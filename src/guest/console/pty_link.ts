/**
 * A connection to a console in mode `Pty`. The runtimes differ in how they read
 * a pseudoterminal, and agree on reads without blocking; so it is polled.
 */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { GuestError } from "../../errors/guest_error.ts";
import { toGuestError } from "../unix_socket.ts";
import type { ConsoleLink } from "./link.ts";

/**
 * Opens the pseudoterminal, without making it the script's own terminal.
 *
 * @param isCurrent False: the pty is not that of the VM any more. Nothing of it
 * is read before: its number may belong to another program by now.
 */
export async function openPtyLink(
  path: string,
  onOutput: (bytes: Uint8Array) => void,
  isCurrent: () => Promise<boolean>,
): Promise<ConsoleLink | undefined> {
  const fd = openTerminal(path);
  let isOurs = false;
  try {
    isOurs = await isCurrent();
  } finally {
    if (!isOurs) closeSync(fd);
  }
  return isOurs ? readTerminal(fd, path, onOutput) : undefined;
}

function openTerminal(path: string): number {
  const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
  try {
    return openSync(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch (cause) {
    const error = toGuestError(cause, path);
    if (error.code !== "socket_missing") throw error;
    const message =
      `no pseudoterminal "${path}"; vm.info names that of the current boot`;
    throw new GuestError(error.code, message, { path, cause });
  }
}

function readTerminal(
  fd: number,
  path: string,
  onOutput: (bytes: Uint8Array) => void,
): ConsoleLink {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let delay = MIN_MS;
  let timer: ReturnType<typeof setTimeout>;
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(timer);
    closeSync(fd);
    resolve();
  };
  const poll = (): void => {
    const bytes = new Uint8Array(CHUNK);
    for (let round = 0; round < ROUNDS; round++) {
      const size = tryIo(() => readSync(fd, bytes));
      if (size === undefined) return end();
      delay = size > 0 ? MIN_MS : Math.min(delay * 2, MAX_MS);
      if (size === 0) break;
      onOutput(bytes.slice(0, size));
    }
    timer = setTimeout(poll, delay);
  };
  timer = setTimeout(poll, 0);
  return {
    ended,
    async write(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const size = isOpen ? tryIo(() => writeSync(fd, rest)) : undefined;
        if (size === undefined) throw toGuestError(undefined, path);
        rest = rest.subarray(size);
        if (size === 0) {
          await new Promise((resolve) => setTimeout(resolve, MAX_MS));
        }
      }
    },
    close() {
      end();
      return Promise.resolve();
    },
  };
}

/** The size, 0 for not now, or undefined where the VMM has closed its side. */
function tryIo(io: () => number): number | undefined {
  try {
    return io() || undefined;
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    const isNotNow = code === "EAGAIN" || name === "WouldBlock" ||
      message.includes("os error 11");
    return isNotNow ? 0 : undefined;
  }
}

const CHUNK = 1 << 16;
/** So that a guest that never stops writing leaves time for others. */
const ROUNDS = 16;
const MIN_MS = 1;
const MAX_MS = 32;
