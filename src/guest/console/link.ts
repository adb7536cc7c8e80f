/** A connection to a serial port in mode `Socket`. */
import { lstatSync } from "node:fs";
import type { Socket } from "node:net";
import { connectSocket, toGuestError } from "../unix_socket.ts";

/** One connection to a console; a reboot of the VM ends it. */
export interface ConsoleLink {
  /** Resolves when the VMM has ended the link, and all output was read. */
  readonly ended: Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the link in a way that leaves the port usable. */
  close(): Promise<void>;
}

/** Options of a link to a serial socket. */
export interface SocketLinkOptions {
  onOutput(bytes: Uint8Array): void;
  /**
   * False: the VMM waits until its client has read, and keeps no rest. Never
   * rejects.
   */
  readonly keepsRest: Promise<boolean>;
}

/** Connects to the serial socket. */
export async function openSocketLink(
  path: string,
  options: SocketLinkOptions,
): Promise<ConsoleLink> {
  // An abort must not cut the connection, which takes no time.
  return new SocketLink(path, options, await connectSocket(path));
}

/**
 * The VMM's serial port has two traps.
 *
 * The port falls silent until the VM reboots when a client closes with unread
 * output. So the output is read all the time, and `close` ends the script's
 * side first and reads on to the VMM's end of file.
 *
 * When the VMM writes faster than the client reads (some 300 single bytes are
 * enough), it keeps the rest, and sends that with the guest's next output: the
 * end of a long text, such as a prompt, may never come. A new client gets the
 * rest at once. So when output came in large pieces and then stops, the link
 * connects anew; the VMM ends the old connection without loss. Before v53.0 the
 * VMM keeps no rest, and before v50.0 a second client is harmful: `vm.reboot`
 * and `vm.shutdown` do not answer while it is connected.
 */
class SocketLink implements ConsoleLink {
  readonly ended: Promise<void>;
  readonly #path: string;
  readonly #options: SocketLinkOptions;
  readonly #end: () => void;
  #socket: Socket;
  #closed: Promise<void>;
  #failure: unknown;
  #isClosing = false;
  #renewal: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** A piece of output came that may have filled the connection. */
  #isLarge = false;
  #quietMs = QUIET_MS;
  /** When the link may be renewed, by `performance.now()`. */
  #renewAt = 0;
  /** Undefined until the VMM has answered. */
  #keepsRest: boolean | undefined;

  constructor(path: string, options: SocketLinkOptions, socket: Socket) {
    this.#path = path;
    this.#options = options;
    options.keepsRest.then((keeps) => this.#keepsRest = keeps);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#socket = socket;
    this.#closed = this.#adopt(socket);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#renewal;
    const socket = this.#socket;
    // Input that the VMM has not read yet would be lost with the connection.
    this.#renewAt = performance.now() + INPUT_MS;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (): void => reject(toGuestError(this.#failure, this.#path));
    socket.once("close", fail);
    socket.write(bytes, (error) => error ? fail() : resolve());
    await promise.finally(() => socket.off("close", fail));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    await this.#renewal;
    const socket = this.#socket;
    socket.end();
    const timer = setTimeout(() => socket.destroy(), GRACE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Reads the socket from now on; resolves when it has closed. */
  #adopt(socket: Socket): Promise<void> {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on("error", (error) => this.#failure ??= error);
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      resolve();
      if (!this.#renewal) this.#finish();
    });
    socket.on("data", (chunk: Uint8Array) => {
      this.#renewAt = performance.now() + this.#quietMs;
      if (chunk.length >= LARGE_BYTES && this.#keepsRest !== false) {
        this.#isLarge = true;
        this.#arm(this.#quietMs);
      }
      this.#options.onOutput(new Uint8Array(chunk));
    });
    socket.resume();
    return promise;
  }

  #arm(ms: number): void {
    if (this.#isClosing) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#whenQuiet();
    }, ms);
  }

  #whenQuiet(): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    const rest = this.#renewAt - performance.now();
    if (rest > 0 || this.#renewal) return this.#arm(Math.max(rest, 0) + 1);
    if (!this.#isLarge || this.#keepsRest === false) {
      this.#quietMs = QUIET_MS;
      return;
    }
    if (this.#keepsRest === undefined) return this.#arm(this.#quietMs);
    this.#isLarge = false;
    this.#renewal = this.#renew().finally(() => {
      this.#renewal = undefined;
      if (this.#socket.destroyed) this.#finish();
    });
  }

  /** Takes the port over from the link's own old connection. */
  async #renew(): Promise<void> {
    let next: Socket;
    try {
      next = await connectSocket(this.#path);
    } catch {
      // The VM is rebooting, and the old connection is about to end.
      return;
    }
    const old = this.#socket;
    const timer = setTimeout(() => old.destroy(), GRACE_MS);
    // The rest of the old connection comes before the output of the new one.
    await this.#closed;
    clearTimeout(timer);
    this.#closed = this.#adopt(next);
    // What comes now was kept by the VMM: the guest itself was silent.
    this.#quietMs = REST_MS;
    this.#arm(REST_MS);
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#end();
  }
}

/** The identity of a socket: another socket at the same path has another. */
export function identityOf(path: string): string | undefined {
  try {
    const { ino, mtimeNs } = lstatSync(path, { bigint: true });
    // An inode is used again at once; Deno has the change time in seconds only.
    return `${ino} ${mtimeNs}`;
  } catch {
    // The connection will fail with the reason.
    return undefined;
  }
}

/** A VMM that hangs does not end its side. */
const GRACE_MS = 2000;
/** A piece of output of so many bytes may have filled the connection. */
const LARGE_BYTES = 64;
/**
 * The guest is silent after this time. The VMM loses what the guest writes at
 * the very moment at which it replaces a client.
 */
const QUIET_MS = 500;
/** The VMM has sent the rest after this time, or as much as it could. */
const REST_MS = 100;
/** The VMM reads input within this time; mostly an echo comes before. */
const INPUT_MS = 1000;
