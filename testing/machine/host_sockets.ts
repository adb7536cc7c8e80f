/** The sockets on which a VM listens on the host: vsock and serial. */
import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { closeServer } from "../socket_file.ts";

/** Closes a socket. With `leave`, its file stays, as after a SIGKILL. */
export type CloseSocket = (leave?: boolean) => void;

/** The longest path of a Unix socket in bytes. */
const MAX_PATH = 107;

/** The listening sockets of one VMM. */
export class HostSockets {
  readonly #files: "real" | "any";
  readonly #open = new Set<CloseSocket>();
  /** Sockets that are being closed, by path. */
  readonly #closing = new Map<string, Promise<void>>();
  #starting: Promise<unknown>[] = [];

  constructor(files: "real" | "any") {
    this.#files = files;
  }

  /**
   * Listens on a path. With `any`, nothing listens if the directory is missing.
   *
   * @throws an error of the operating system.
   */
  listen(path: string, onConnection: (socket: Socket) => void): CloseSocket {
    assertSocketPath(path);
    if (!this.#closing.has(path) && existsSync(path)) {
      throw failed("EADDRINUSE");
    }
    const hasDirectory = existsSync(dirname(path));
    if (!hasDirectory && this.#files === "real") throw failed("ENOENT");
    const peers = new Set<Socket>();
    const started = hasDirectory
      ? this.#start(path, onConnection, peers)
      : undefined;
    const close: CloseSocket = (leave = false) => {
      if (!this.#open.delete(close) || started === undefined) return;
      // What was written to them still arrives.
      for (const peer of peers) peer.end(() => peer.destroy());
      const closed = started.then((server) => closeServer(server, path, leave))
        .catch(() => {})
        .finally(() => this.#closing.delete(path));
      this.#closing.set(path, closed);
    };
    this.#open.add(close);
    return close;
  }

  async #start(
    path: string,
    onConnection: (socket: Socket) => void,
    peers: Set<Socket>,
  ): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      peers.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => peers.delete(socket));
      onConnection(socket);
    });
    const listening = (async () => {
      await this.#closing.get(path);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, () => resolve());
      });
    })();
    this.#starting.push(listening.catch(() => {}));
    await listening;
    return server;
  }

  /** Resolves when every socket listens; undefined if all do already. */
  settled(): Promise<unknown> | undefined {
    if (this.#starting.length === 0) return undefined;
    const starting = Promise.all(this.#starting);
    this.#starting = [];
    return starting;
  }

  /** Closes all sockets. */
  async closeAll(leave: boolean): Promise<void> {
    for (const close of [...this.#open]) close(leave);
    await Promise.all(this.#closing.values());
  }
}

/** @throws if a path is too long for a socket. */
export function assertSocketPath(path: string): void {
  if (new TextEncoder().encode(path).length <= MAX_PATH) return;
  throw new Error("path must be shorter than SUN_LEN");
}

function failed(code: string): Error {
  return Object.assign(new Error(code), { code });
}
