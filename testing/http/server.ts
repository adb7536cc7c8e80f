/**
 * An HTTP server that behaves as micro_http does. It knows nothing of VMs.
 *
 * `node:http` differs: it accepts requests that micro_http refuses, closes
 * connections that micro_http keeps, and serves requests in parallel.
 */
import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { closeServer, endConnection } from "../socket_file.ts";
import {
  type HttpRequest,
  type Limits,
  type Parsed,
  RequestParser,
} from "./request_parser.ts";

/** A response; `"cut"` closes the connection without one. */
export type HttpReply =
  | { readonly status: number; readonly body?: string }
  | "cut";

/** Answers a request. No other request is served while a promise is pending. */
export type Handler = (request: HttpRequest) => HttpReply | Promise<HttpReply>;

interface Connection {
  readonly socket: Socket;
  readonly parser: RequestParser;
}

/** The number of connections; one more gets a 503. */
const MAX_CONNECTIONS = 10;

const FULL = "HTTP/1.1 503\r\nServer: Firecracker API\r\n" +
  "Connection: close\r\nContent-Length: 40\r\n\r\n" +
  '{ "error": "Too many open connections" }';

/** A server on a Unix socket. */
export class HttpServer {
  readonly #handle: Handler;
  readonly #limits: Limits;
  readonly #server: Server;
  /** The connections that hold a slot. */
  readonly #open = new Set<Socket>();
  /** All connections, also those that wait to be accepted. */
  readonly #all = new Set<Socket>();
  /** Work that waits until the running request is answered. */
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

  /** The number of connections that hold a slot. */
  get openConnections(): number {
    return this.#open.size;
  }

  /** True if a response is pending. */
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
   * Closes the server and every connection.
   *
   * @param leave Leaves the socket file behind, as a crash does.
   */
  async close(leave = false): Promise<void> {
    const path = this.#path;
    this.#path = undefined;
    this.#waiting.length = 0;
    closeServer(this.#server, path, leave);
    // A response that is being written is still sent.
    await Promise.all([...this.#all].map(endConnection));
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
    // A client that has closed its side gets no response.
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

  /** Answers in order from `at` on; pauses while a response is pending. */
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
  // The line break makes the body invalid JSON, as in a real VMM.
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
/** Text whose length is its number of bytes. */
const ASCII = /^[\p{ASCII}]*$/u;

function lengthOf(body: string): number {
  return ASCII.test(body) ? body.length : encoder.encode(body).length;
}
