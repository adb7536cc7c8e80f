/** Deno's fetch takes the socket as the proxy of an HTTP client. */
import type { ConnectionErrorCode } from "../errors/error_code.ts";
import { bounded } from "./body_limit.ts";
import type {
  Transport,
  TransportRequest,
  TransportResponse,
} from "./transport.ts";

export function connect(socketPath: string): Transport {
  let client: HttpClient | undefined;

  return {
    async fetch(
      url: string,
      request: TransportRequest,
    ): Promise<TransportResponse> {
      // Made here, so that a missing permission fails the call.
      client ??= deno().createHttpClient({
        proxy: { transport: "unix", path: socketPath },
        // A pooled connection that dies makes Deno send a PUT again; before
        // 2.9.6, a new one too.
        poolMaxIdlePerHost: 0,
      });
      const init = { ...request, redirect: "manual", client };
      return bounded(await fetch(url, init as RequestInit));
    },
    errorCodeOf,
    isUnsent,
    close() {
      client?.close();
      client = undefined;
    },
  };
}

/** Deno's errors have no code: the number of errno stands in a message. */
function errorCodeOf(error: unknown): ConnectionErrorCode {
  if ((error as Error).name === "NotCapable") return "runtime_permission";
  const said = causes(error).join("\n");
  const errno = /os error (\d+)/.exec(said)?.[1];
  if (errno !== undefined) return ERRNOS[errno] ?? "closed";
  return NOT_HTTP.test(said) ? "not_http" : "closed";
}

/** The second is a response that came before the request was written. */
function isUnsent(error: unknown): boolean {
  return UNSENT.test(causes(error).join("\n"));
}

const UNSENT = /os error (11|32)\)|unexpected message from connection/;

function causes(error: unknown): string[] {
  return error instanceof Error ? [error.message, ...causes(error.cause)] : [];
}

const ERRNOS: { readonly [errno: string]: ConnectionErrorCode } = {
  "1": "permission_denied",
  "2": "socket_missing",
  "13": "permission_denied",
  "20": "socket_missing",
  "111": "refused",
};

const NOT_HTTP = /invalid HTTP|parsed|invalid content-length|too large/i;

interface HttpClient {
  close(): void;
}

function deno(): { createHttpClient(options: unknown): HttpClient } {
  return (globalThis as never)["Deno"];
}
