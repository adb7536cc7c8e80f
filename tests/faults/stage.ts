/** A server that breaks its first connection and serves the others well. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reply } from "../support/server.ts";
import { DEVICE, type Script } from "./case.ts";

export interface Stage {
  readonly path: string;
  /** The number of whole requests, on the first connection and on others. */
  readonly requests: { first: number; later: number };
  /** The number of bytes that the first connection took. */
  readonly taken: () => number;
  /** Resolves when no connection is open; one that is paused goes on. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export async function setStage(script: Script): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "chv-fault-"));
  const path = join(directory, "api.sock");
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  const requests = { first: 0, later: 0 };
  let first: Socket | undefined;

  const server = createServer((socket) => {
    const broken = first === undefined;
    first ??= socket;
    open.add(socket);
    // A peer that ends its half has hung up; Deno's sockets may not notice.
    socket.on("end", () => socket.destroy());
    socket.on("error", () => {}).on("close", () => {
      open.delete(socket);
      if (open.size === 0) waiting.forEach((resume) => resume());
    });
    listen(socket, broken ? script : GOOD, () => {
      if (broken) requests.first++;
      else requests.later++;
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    path,
    requests,
    taken: () => (first?.bytesWritten ?? 0) - (first?.writableLength ?? 0),
    idle: () =>
      new Promise((resolve) => {
        first?.resume();
        if (open.size === 0) return resolve();
        waiting.add(resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        open.forEach((socket) => socket.destroy());
        server.close(() => {
          rmSync(directory, { recursive: true, force: true });
          resolve();
        });
      }),
  };
}

const GOOD: Script = {
  request: (socket) => socket.write(reply(200, JSON.stringify(DEVICE))),
};

function listen(socket: Socket, script: Script, whole: () => void): void {
  let head = "";
  let size = 0;
  let length: number | undefined;
  script.connected?.(socket);
  socket.on("data", (chunk) => {
    size += chunk.length;
    if (length === undefined) {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const body = /^content-length: *(\d+)/im.exec(head)?.[1] ?? 0;
      length = end + 4 + Number(body);
      script.head?.(socket);
    }
    if (size < length) return;
    // What is over begins a second request: a request that was sent twice.
    size -= length;
    head = "";
    length = undefined;
    whole();
    script.request?.(socket);
  });
}
