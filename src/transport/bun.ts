/** Bun's fetch takes the socket as an option. */
import type { ConnectionErrorCode } from "../errors/error_code.ts";
import { systemCodes } from "./system_codes.ts";
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
    isUnsent,
    close() {},
  };
}

/** Bun takes a response of fewer than 16 bytes for an early end. */
function errorCodeOf(error: unknown): ConnectionErrorCode {
  return CODES[(error as { code?: string }).code ?? ""] ?? "closed";
}

/** One code is for every early end; its text has the difference. */
function isUnsent(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  return code === "ECONNRESET" && message.includes("Unable to connect");
}

const CODES: { readonly [code: string]: ConnectionErrorCode } = {
  ...systemCodes,
  Malformed_HTTP_Response: "not_http",
  InvalidContentLength: "not_http",
};
