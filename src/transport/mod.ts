/**
 * The one place where runtimes differ: how a fetch reaches a Unix socket, and
 * how a runtime says why it did not. The three implementations export the
 * same function, so a diff of two files is the list of differences.
 */
import type { ConnectionErrorCode } from "../errors.ts";

/** What a request is made of; bodies are whole, so they have a length. */
export interface Request {
  method: string;
  headers?: Headers | Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  signal?: AbortSignal;
}

/** What is used of a Response; building a whole one is dear in Node. */
export interface Reply
  extends Pick<Response, "status" | "headers" | "text" | "bytes"> {
  /** Calls back when the connection is closed, if that can be later. */
  onClosed?(listener: () => void): void;
}

/** A fetch that reaches one socket, a new connection for each request. */
export interface Transport {
  /**
   * Resolves to an answer of bounded size. Rejects as the runtime does;
   * {@linkcode Transport.fault} reads that.
   */
  fetch(url: string, request: Request): Promise<Reply>;
  /** What a rejection of `fetch`, or of reading its body, stands for. */
  fault(error: unknown): ConnectionErrorCode;
  /** Gives back what it holds. Requests that are under way go on. */
  close(): void;
}

/**
 * The origin of every URL. An address of TEST-NET-1, because in Deno a
 * NO_PROXY variable with the URL's host sends the request past the socket.
 */
export const ORIGIN: string = "http://192.0.2.1";

/** The transport of the runtime that this is. Opens no connection. */
export async function transportTo(socketPath: string): Promise<Transport> {
  const { connect } = "Deno" in globalThis
    ? await import("./deno.ts")
    : "Bun" in globalThis
    ? await import("./bun.ts")
    : await import("./node.ts");
  return connect(socketPath);
}
