/** A scripted server on a Unix socket: it answers with the bytes it is given. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unixFetch } from "../../src/client/unix_fetch.ts";

/** The reaction of the server to a request; `bytes` is the whole request. */
export type Script = (socket: Socket, request: string) => void;

export interface ScriptedServer {
  readonly path: string;
  /** The requests as they came, oldest first. */
  readonly requests: string[];
  /** The number of open connections. */
  readonly open: () => number;
  /** The largest number of connections that were open at once. */
  readonly peak: () => number;
  /** The number of connections so far. */
  readonly connections: () => number;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Answers each complete request by `script`, on a socket of its own. */
export async function serve(script: Script): Promise<ScriptedServer> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const path = join(directory, "api.sock");
  const requests: string[] = [];
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  let peak = 0;
  let connections = 0;

  const server = createServer((socket) => {
    open.add(socket);
    connections++;
    peak = Math.max(peak, open.size);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("close", () => {
      open.delete(socket);
      if (open.size === 0) waiting.forEach((resume) => resume());
    });
    socket.on("data", (chunk) => {
      text += chunk;
      if (!isComplete(text)) return;
      requests.push(text);
      text = "";
      script(socket, requests.at(-1)!);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    path,
    requests,
    open: () => open.size,
    peak: () => peak,
    connections: () => connections,
    idle: () =>
      new Promise((resolve) => {
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

/** Runs `body` with a server, then looks for connections and files left open. */
export async function serving(
  script: Script,
  body: (server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await warm();
  const before = files();
  const server = await serve(script);
  try {
    await body(server);
    await server.idle();
    assert.equal(server.open(), 0);
  } finally {
    await server.close();
  }
  assert.ok(files() <= before, `${files()} files are open, ${before} before`);
}

/** The first uses of a socket open what the runtime then keeps. */
async function warm(): Promise<void> {
  const server = await serve((socket) => socket.write(reply(204)));
  const fetch = unixFetch(server.path);
  await fetch("/");
  fetch.close();
  await server.idle();
  await server.close();
}

function files(): number {
  return readdirSync("/proc/self/fd").length;
}

/** An answer as micro_http words it. */
export function reply(status: number, body?: string): string {
  const head = `HTTP/1.1 ${status} \r\nServer: Cloud Hypervisor API\r\n` +
    "Connection: keep-alive\r\n";
  if (body === undefined) return `${head}\r\n`;
  const length = new TextEncoder().encode(body).length;
  return `${head}Content-Type: application/json\r\n` +
    `Content-Length: ${length}\r\n\r\n${body}`;
}

/** The path of a request, whichever form its target has. */
export function pathOf(request: string): string {
  return request.split(" ")[1]!.replace(/^http:\/\/[^/]+/, "");
}

/** The body of a request. */
export function bodyOf(request: string): string {
  return request.slice(request.indexOf("\r\n\r\n") + 4);
}

function isComplete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  return new TextEncoder().encode(text.slice(end + 4)).length >= length;
}
