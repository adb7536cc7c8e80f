/** A plain fetch over a Unix socket, for tools that want one. */
import { ApiSocket } from "./api_socket.ts";
import { ORIGIN, type TransportResponse } from "../transport/transport.ts";

/** A `fetch` that reaches one Unix socket, whatever host the URL names. */
export interface UnixFetch {
  /**
   * As the platform's `fetch`, with these differences: the request body is
   * sent, and the response is read, completely before the promise resolves. A
   * redirect is returned, not followed. If there is no response, it rejects
   * with {@linkcode ConnectionError}. At most four requests run at once, each
   * on a connection of its own; others wait.
   */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Refuses new requests; running requests continue. Idempotent. */
  close(): void;
  /** Calls {@linkcode UnixFetch.close}. */
  [Symbol.dispose](): void;
}

/**
 * Makes a `fetch` over the Unix socket at `socketPath`. It opens nothing until
 * it is called. No proxy variable or redirect leads a request elsewhere; the
 * one exception is a `NO_PROXY` in Deno that covers the address 100::1.
 *
 * @throws {InvalidRequestError} when the path is empty, contains a NUL or is,
 * made absolute, longer than the kernel's 107 bytes.
 *
 * @example
 * ```ts
 * import { unixFetch } from "@chv/cloud-hypervisor";
 *
 * const fetch = unixFetch("/run/vm0/api.sock");
 * const response = await fetch("http://vmm/api/v1/vmm.ping");
 * console.log(await response.text());
 * ```
 */
export function unixFetch(socketPath: string): UnixFetch {
  const socket = new ApiSocket(socketPath, MAX_CONNECTIONS);
  const context = { socketPath: socket.path };

  const fetch = async (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    const request = new Request(
      input instanceof Request ? input : new URL(input, ORIGIN),
      init,
    );
    const { method, headers, signal } = request;
    const { pathname, search } = new URL(request.url);
    const body = request.body === null
      ? undefined
      : new Uint8Array(await request.arrayBuffer());
    return await socket.exchange(
      `${ORIGIN}${pathname}${search}`,
      { method, headers, signal, ...(body && { body }) },
      whole,
      context,
    );
  };
  const close = (): void => socket.close();
  return Object.assign(fetch, { close, [Symbol.dispose]: close });
}

const MAX_CONNECTIONS = 4;

/** The response with its body read, so that the connection has ended. */
async function whole(response: TransportResponse): Promise<Response> {
  const { status, headers } = response;
  const body = await response.bytes();
  return new Response(BODILESS.has(status) ? null : body, { status, headers });
}

/** Statuses with which a Response takes no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
