/** The connection of a migration between two fakes: one JSON text per line. */
import { connect, createServer, isIP, type Socket } from "node:net";
import { rmSync } from "node:fs";
import { splitAddress } from "../../src/schema/rules/migration_url.ts";

/** A listening socket for one peer. */
export interface Listener {
  /** Resolves to the first peer. */
  readonly peer: Promise<Peer>;
  close(): void;
}

/** The other side of a migration. */
export interface Peer {
  /** Resolves to the next complete line; undefined at the end. */
  next(): Promise<string | undefined>;
  send(line: string): void;
  close(): void;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;
  readonly hasEnded: boolean;
}

/** The address of a URL. */
type Address = { path: string } | { host: string; port: number };

/** Parses a URL that was validated before. */
export function addressOf(url: string): Address {
  if (url.startsWith("unix:")) return { path: url.slice("unix:".length) };
  const { host, port } = splitAddress(url.slice("tcp:".length)) as {
    host: string;
    port: string;
  };
  return { host, port: Number(port) };
}

/** The kind of a URL's socket, as messages name it. */
export function kindOf(url: string): "UNIX" | "TCP" {
  return url.startsWith("unix:") ? "UNIX" : "TCP";
}

/** Returns whether a URL contains a host name, not an IP address. */
export function needsLookup(url: string): boolean {
  const address = addressOf(url);
  return "host" in address && isIP(address.host) === 0;
}

/** Listens at a URL. */
export function listen(url: string): Promise<Listener> {
  const address = addressOf(url);
  return new Promise((resolve, reject) => {
    const server = createServer();
    const peer = new Promise<Peer>((resolvePeer) => {
      server.once("connection", (socket) => {
        server.close();
        resolvePeer(peerOf(socket));
      });
    });
    server.once("error", reject);
    server.listen(address, () => {
      const close = () => {
        server.close();
        if ("path" in address) rmSync(address.path, { force: true });
      };
      resolve({ peer, close });
    });
  });
}

/** Connects to a URL. */
export function dial(url: string): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(addressOf(url) as { path: string });
    socket.once("error", reject);
    socket.once("connect", () => resolve(peerOf(socket)));
  });
}

function peerOf(socket: Socket): Peer {
  const lines: string[] = [];
  let rest = "";
  let hasEnded = false;
  let wake = () => {};
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      hasEnded = true;
      wake();
      resolve();
    });
  });
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    wake();
  });
  socket.on("error", () => {});
  return {
    ended,
    get hasEnded() {
      return hasEnded;
    },
    async next() {
      while (lines.length === 0 && !hasEnded) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      return lines.shift();
    },
    send: (line) => void socket.write(`${line}\n`),
    close: () => socket.destroySoon(),
  };
}
