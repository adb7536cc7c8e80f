/**
 * The API socket, which `createClient` and `unixFetch` share: a connection for
 * each request, a few at a time, and errors with codes.
 */
import type { ErrorContext } from "../errors/base_error.ts";
import { ConnectionError, InvalidRequestError } from "../errors/errors.ts";
import { checkPath } from "../arguments/path.ts";
import { ConnectionLimiter } from "./connection_limiter.ts";
import { bounded, OversizeError } from "../transport/body_limit.ts";
import { readRefusal } from "../transport/refusal.ts";
import { systemCodes } from "../transport/system_codes.ts";
import { transportTo } from "../transport/mod.ts";
import type {
  Transport,
  TransportRequest,
  TransportResponse,
} from "../transport/transport.ts";

/** A fetch in place of the runtime's, as `createClient` takes one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class ApiSocket {
  /** Absolute. */
  readonly path: string;
  readonly #limiter: ConnectionLimiter;
  readonly #fetch: Fetch | undefined;
  #transport: Transport | undefined;
  #running = 0;
  #closed = false;

  constructor(path: string, maxConnections: number, fetch?: Fetch) {
    this.path = checkSocketPath(path);
    this.#limiter = new ConnectionLimiter(maxConnections);
    this.#fetch = fetch;
  }

  /**
   * Sends a request on a connection of its own and reads the answer.
   * Rejects with the signal's reason or a {@linkcode ConnectionError}.
   */
  async exchange<T>(
    url: string,
    request: TransportRequest,
    read: (response: TransportResponse) => Promise<T>,
    context: ErrorContext,
  ): Promise<T> {
    const { signal } = request;
    if (signal?.aborted) throw signal.reason;
    if (this.#closed) {
      throw new InvalidRequestError(
        "invalid_request",
        "client",
        "it was closed before the call",
        context,
      );
    }
    this.#running++;
    try {
      const turn = this.#limiter.acquire(signal);
      // Each await costs, so a free slot has none.
      const slot = typeof turn === "number" ? turn : await turn;
      let response: TransportResponse | undefined;
      let answered = false;
      try {
        response = this.#fetch === undefined
          ? await (this.#transport ??= await transportTo(this.path))
            .fetch(url, request)
          : await bounded(await this.#fetch(url, request));
        const value = await read(response);
        answered = true;
        return value;
      } catch (cause) {
        if (!signal?.aborted && this.#transport?.isUnsent(cause)) {
          const refusal = await readRefusal(this.path);
          if (refusal) return await read(refusal);
        }
        throw this.#toError(cause, signal, context);
      } finally {
        const give = (): void => this.#limiter.release(slot, answered);
        // The next waiting call relies on the end of this connection.
        if (response?.onClosed) response.onClosed(give);
        else give();
      }
    } finally {
      this.#running--;
      this.#release();
    }
  }

  /** Refuses new requests; those that run or wait go on. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  #toError(
    cause: unknown,
    signal: AbortSignal | undefined,
    context: ErrorContext,
  ): unknown {
    if (signal?.aborted) return signal.reason;
    if (cause instanceof ConnectionError) return cause;
    if (!this.#transport && !this.#fetch) {
      return new InvalidRequestError(
        "invalid_request",
        "client",
        `this runtime cannot reach a Unix socket: ${cause}`,
        { ...context, cause },
      );
    }
    const { code: name = "" } = Object(cause) as { code?: string };
    const code = cause instanceof OversizeError
      ? "not_http"
      : this.#transport?.errorCodeOf(cause) ?? systemCodes[name] ?? "closed";
    return new ConnectionError(code, { ...context, cause });
  }

  #release(): void {
    if (this.#closed && this.#running === 0) this.#transport?.close();
  }
}

/** The path as the kernel takes it: absolute, and short enough. */
function checkSocketPath(path: string): string {
  checkPath("socketPath", path);
  const absolute = path.startsWith("/")
    ? path
    : `${globalThis.process.cwd()}/${path.replace(/^(\.\/)+/, "")}`;
  const size = new TextEncoder().encode(absolute).length;
  if (size > MAX_PATH_BYTES) {
    throw new InvalidRequestError(
      "invalid_request",
      "socketPath",
      `"${absolute}" has ${size} bytes, more than ${MAX_PATH_BYTES}: use a shorter path, such as a symbolic link`,
      { socketPath: path },
    );
  }
  return absolute;
}

/** The size of sun_path without its NUL. */
const MAX_PATH_BYTES = 107;
