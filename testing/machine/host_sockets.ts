/** The sockets on which a VM listens on the host: vsock and serial. */
import { existsSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { closeServer, endConnection } from "../socket_file.ts";

/** Closes a socket. With `leave`, its file stays, as after a SIGKILL. */
export type CloseSocket = (leave?: boolean) => void;

/** The longest path of a Unix socket in bytes. */
const MAX_PATH = 107;

/** The listening sockets of one VMM. */
export class HostSockets {
  readonly #files: "real" | "any";
  readonly #open = new Set<CloseSocket>();
  /** Connections of closed sockets. */
  readonly #ending = new Set<Promise<void>>();

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
    if (existsSync(path)) throw failed("EADDRINUSE");
    if (!existsSync(dirname(path))) {
      if (this.#files === "real") throw failed("ENOENT");
      return () => {};
    }
    const peers = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      peers.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => peers.delete(socket));
      onConnection(socket);
    });
    server.on("error", () => {});
    // The socket exists and listens when this returns, on every runtime.
    server.listen(path);
    const close: CloseSocket = (leave = false) => {
      if (!this.#open.delete(close)) return;
      closeServer(server, path, leave);
      for (const peer of peers) this.#end(peer);
    };
    this.#open.add(close);
    return close;
  }

  #end(peer: Socket): void {
    const ended = endConnection(peer);
    this.#ending.add(ended);
    ended.finally(() => this.#ending.delete(ended));
  }

  /** Closes all sockets. */
  async closeAll(leave: boolean): Promise<void> {
    for (const close of [...this.#open]) close(leave);
    await Promise.all(this.#ending);
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
