/** The contract of a transport: how a request reaches a Unix socket. */
import type { ConnectionErrorCode } from "../errors/error_code.ts";

/** A request; bodies are whole, so their length is known. */
export interface TransportRequest {
  method: string;
  headers?: Headers | Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  signal?: AbortSignal;
}

/** The members of a Response that are used; a whole one is slow in Node. */
export interface TransportResponse
  extends Pick<Response, "status" | "headers" | "text" | "bytes"> {
  /** Calls back when the connection is closed, if that can be later. */
  onClosed?(listener: () => void): void;
}

/** A fetch that reaches one socket, on a new connection for each request. */
export interface Transport {
  /**
   * Resolves to a response of bounded size. Rejects as the runtime does;
   * {@linkcode Transport.errorCodeOf} reads the reason.
   */
  fetch(url: string, request: TransportRequest): Promise<TransportResponse>;
  /** The code for a rejection of `fetch`, or of reading its body. */
  errorCodeOf(error: unknown): ConnectionErrorCode;
  /** True if the connection ended before the request was whole. */
  isUnsent(error: unknown): boolean;
  /** Releases what the transport holds. Running requests go on. */
  close(): void;
}

/**
 * The origin of every URL. In Deno a NO_PROXY variable that covers the host
 * sends the request past the socket. The discard-only address 100::1 is covered
 * by no name, no `*` and no range of IPv4: only by a range of IPv6.
 */
export const ORIGIN: string = "http://[100::1]";
