/** A scripted server on a Unix socket: it answers with the bytes it is given. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the server does with a request; `bytes` is the whole of it. */
export type Script = (socket: Socket, request: string) => void;

export interface ScriptedServer {
  readonly path: string;
  /** The requests as they came, oldest first. */
  readonly requests: string[];
  /** How many connections are open now. */
  readonly open: () => number;
  /** How many were open at once, at most. */
  readonly peak: () => number;
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

  const server = createServer((socket) => {
    open.add(socket);
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
