/** Bun's fetch takes the socket as an option. */
import type { ConnectionErrorCode } from "../errors/error_code.ts";
import { bounded } from "./body_limit.ts";
import type {
  Transport,
  TransportRequest,
  TransportResponse,
} from "./transport.ts";

export function connect(socketPath: string): Transport {
  const options = {
    unix: socketPath,
    // A pooled connection that dies makes Bun send a PUT again.
    keepalive: false,
    // Bun would end a call after 300 s.
    timeout: false,
    // Bun would follow to TCP.
    redirect: "manual",
  } as const;

  return {
    async fetch(
      url: string,
      request: TransportRequest,
    ): Promise<TransportResponse> {
      const init = { ...request, ...options };
      return bounded(await fetch(url, init as RequestInit));
    },
    errorCodeOf,
    close() {},
  };
}

/** Bun reads no answer of fewer than 16 bytes: that is an early end to it. */
function errorCodeOf(error: unknown): ConnectionErrorCode {
  return CODES[(error as { code?: string }).code ?? ""] ?? "closed";
}

const CODES: { readonly [code: string]: ConnectionErrorCode } = {
  ENOENT: "socket_missing",
  ENOTDIR: "socket_missing",
  ECONNREFUSED: "refused",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  Malformed_HTTP_Response: "not_http",
  InvalidContentLength: "not_http",
};
