/**
 * An HTTP server that behaves as micro_http does; of VMs it knows nothing.
 *
 * `node:http` would be too polite: it answers what micro_http refuses, closes
 * what that keeps open, and serves many requests at once.
 */
import { chmodSync, linkSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import {
  type HttpRequest,
  type Limits,
  type Parsed,
  RequestParser,
} from "./request_parser.ts";

/** What is sent back; `"cut"` closes the connection instead. */
export type HttpReply =
  | { readonly status: number; readonly body?: string }
  | "cut";

/** Answers a request. While a promise is pending, nothing else is served. */
export type Handler = (request: HttpRequest) => HttpReply | Promise<HttpReply>;

interface Connection {
  readonly socket: Socket;
  readonly parser: RequestParser;
}

/** The connections that are served; the next gets a 503. */
const MAX_CONNECTIONS = 10;

const FULL = "HTTP/1.1 503\r\nServer: Firecracker API\r\n" +
  "Connection: close\r\nContent-Length: 40\r\n\r\n" +
  '{ "error": "Too many open connections" }';

/** A server on a Unix socket. */
export class HttpServer {
  readonly #handle: Handler;
  readonly #limits: Limits;
  readonly #server: Server;
  /** Those that hold a slot. */
  readonly #open = new Set<Socket>();
  /** Those, and the ones that still wait to be looked at. */
  readonly #all = new Set<Socket>();
  /** What has to wait until the running request is answered. */
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #path: string | undefined;

  constructor(limits: Limits, handle: Handler) {
    this.#limits = limits;
    this.#handle = handle;
    this.#server = createServer((socket) => {
      this.#all.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#all.delete(socket));
      this.#whenFree(() => this.#accept(socket));
    });
  }

  /** How many connections hold a slot. */
  get openConnections(): number {
    return this.#open.size;
  }

  /** Whether an answer is pending. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Starts to listen at a path, or on a listening descriptor. */
  async listen(at: string | { fd: number }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(at, () => resolve());
    });
    if (typeof at !== "string") return;
    this.#path = at;
    chmodSync(at, 0o700);
  }

  /**
   * Ends it, and every connection.
   *
   * @param leave Leaves the dead socket file behind, as a crash does.
   */
  async close(leave = false): Promise<void> {
    const path = this.#path;
    this.#path = undefined;
    // The runtimes remove the file on close; a second name saves it.
    const kept = `${path}.dead`;
    const saved = leave && path !== undefined;
    if (saved) linkSync(path, kept);
    this.#waiting.length = 0;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // Soon: an answer that is on its way still gets out.
    for (const socket of this.#all) socket.destroySoon();
    await closed;
    if (saved) renameSync(kept, path);
    else if (path !== undefined) rmSync(path, { force: true });
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    if (this.#open.size >= MAX_CONNECTIONS) {
      socket.end(FULL, () => socket.destroy());
      return;
    }
    const connection = { socket, parser: new RequestParser(this.#limits) };
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    // A client that ends its half has hung up: it gets no answer.
    socket.on("end", () => socket.destroy());
    socket.on("data", (chunk) => {
      if (this.#busy) this.#waiting.push(() => this.#read(connection, chunk));
      else this.#read(connection, chunk);
    });
  }

  #read(connection: Connection, chunk: Parameters<RequestParser["read"]>[0]) {
    if (connection.socket.destroyed) return;
    this.#answer(connection, connection.parser.read(chunk), 0);
  }

  /** Answers from `at` on, in order; stops while an answer is pending. */
  #answer(connection: Connection, parsed: readonly Parsed[], at: number) {
    for (; at < parsed.length; at++) {
      const item = parsed[at]!;
      if (item.kind !== "request") {
        send(connection.socket, bytesOf(item));
        continue;
      }
      const reply = this.#handle(item.request);
      if (!(reply instanceof Promise)) {
        send(connection.socket, bytesOfReply(reply));
        continue;
      }
      this.#busy = true;
      const next = at + 1;
      reply.then((late) => {
        send(connection.socket, bytesOfReply(late));
        this.#busy = false;
        this.#answer(connection, parsed, next);
        this.#serveWaiting();
      });
      return;
    }
  }

  #serveWaiting(): void {
    while (!this.#busy && this.#waiting.length > 0) this.#waiting.shift()!();
  }

  #whenFree(job: () => void): void {
    if (this.#busy) this.#waiting.push(job);
    else job();
  }
}

function send(socket: Socket, bytes: string | undefined): void {
  if (socket.destroyed) return;
  if (bytes === undefined) socket.destroy();
  else socket.write(bytes);
}

function bytesOf(item: Exclude<Parsed, { kind: "request" }>): string {
  if (item.kind === "continue") {
    return `${item.version} 100 \r\n${headOf(FIRECRACKER)}\r\n`;
  }
  // The line break makes it invalid JSON, as in the real one.
  const body = `{ "error": "${item.message}\n` +
    'All previous unanswered requests will be dropped." }';
  return bytesOfAnswer(400, body, FIRECRACKER);
}

function bytesOfReply(reply: HttpReply): string | undefined {
  if (reply === "cut") return undefined;
  return bytesOfAnswer(reply.status, reply.body ?? "", CLOUD_HYPERVISOR);
}

const FIRECRACKER = "Firecracker API";
const CLOUD_HYPERVISOR = "Cloud Hypervisor API";

function bytesOfAnswer(status: number, body: string, server: string): string {
  const head = `HTTP/1.1 ${status} \r\n${headOf(server)}`;
  if (status === 204) return `${head}\r\n`;
  return `${head}Content-Type: application/json\r\n` +
    `Content-Length: ${lengthOf(body)}\r\n\r\n${body}`;
}

function headOf(server: string): string {
  return `Server: ${server}\r\nConnection: keep-alive\r\n`;
}

const encoder = new TextEncoder();
/** Needs no encoding to be counted. */
const ASCII = /^[\p{ASCII}]*$/u;

function lengthOf(body: string): number {
  return ASCII.test(body) ? body.length : encoder.encode(body).length;
}
