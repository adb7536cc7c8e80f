/** Joins the generated operations, the socket and the errors. */
import { readResponse } from "./response.ts";
import { checkDeadline, Deadline } from "../wait/deadline.ts";
import {
  ConnectionError,
  type ErrorContext,
  InvalidRequestError,
} from "../errors/errors.ts";
import { findFatalFields } from "../requests/fatal_requests.ts";
import {
  Api,
  type CallOptions,
  type OperationName,
  type OperationRow,
  operations,
} from "../generated/api.gen.ts";
import { InexactValueError, stringify } from "../json/json.ts";
import { ApiSocket } from "./api_socket.ts";
import {
  ORIGIN,
  type TransportRequest,
  type TransportResponse,
} from "../transport/transport.ts";

/** What {@linkcode createClient} takes besides the path. */
export interface CreateClientOptions {
  /**
   * Deadlines in milliseconds, from the call on, waiting for a connection
   * included: one for all operations, or some by wire name, as
   * `{ "vm.boot": 60_000 }`. `Infinity` is none.
   *
   * Default: 10 s for ping, info and counters; none for snapshot, restore,
   * coredump and migration; 5 minutes for all others.
   */
  timeoutMs?: number | Partial<Record<OperationName, number>>;
  /**
   * How many calls run at once, 1 to 9; others wait. The VMM has ten
   * connections for everybody who uses its socket.
   *
   * Default: `4`.
   */
  maxConnections?: number;
  /**
   * Sends requests that are known to stop the VMM process, instead of
   * refusing them as `fatal_request`.
   *
   * Default: `false`.
   */
  allowFatal?: boolean;
  /**
   * Makes the requests in place of the runtime's fetch, for logs or tests. It
   * gets whole URLs and has to see to it itself that they reach the socket,
   * usually by {@linkcode unixFetch}.
   */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** A client of one VMM; made by {@linkcode createClient}. */
export interface Client extends Api {
  /** The API socket, absolute. */
  readonly socketPath: string;
  /**
   * Refuses new calls; running ones end as they would. Idempotent. A client
   * that is never closed keeps no connection and does not keep a script alive.
   */
  close(): void;
  /** Calls {@linkcode Client.close}. */
  [Symbol.dispose](): void;
}

/**
 * Makes a client of the VMM that listens on `socketPath`. It opens nothing: the
 * first call connects. A call resolves to the VMM's data, or to `undefined`
 * where it answers without any. It rejects with an error of this library or
 * with the reason of the signal that aborted it. Nothing is ever sent twice.
 *
 * @throws {InvalidRequestError} when the path is empty, holds a NUL or is, made
 * absolute, longer than the kernel's 107 bytes.
 * @throws {RangeError} when an option is out of its range.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 *
 * const client = createClient("/run/vm0/api.sock");
 * const { version } = await client.vmm.ping();
 * console.log(version);
 * ```
 */
export function createClient(
  socketPath: string,
  options: CreateClientOptions = {},
): Client {
  const { timeoutMs: deadlines = {}, maxConnections = 4 } = options;
  checkDeadlines(deadlines);
  if (
    !Number.isInteger(maxConnections) || !(1 <= maxConnections) ||
    maxConnections > 9
  ) {
    throw new RangeError(`maxConnections is ${maxConnections}, not 1 to 9`);
  }
  const socket = new ApiSocket(socketPath, maxConnections, options.fetch);

  async function call(
    row: OperationRow,
    body: unknown,
    callOptions: CallOptions = {},
  ): Promise<unknown> {
    const { signal, timeoutMs = deadlineOf(row, deadlines) } = callOptions;
    checkDeadline("timeoutMs", timeoutMs);
    const context = { operation: row.name, socketPath: socket.path };
    const request: TransportRequest = { method: row.method };
    if (row.hasBody) {
      if (!options.allowFatal) assertNotFatal(row.name, body, context);
      request.body = serialize(body, context);
      request.headers = JSON_BODY;
    }
    const deadline = new Deadline(signal, timeoutMs, context);
    if (deadline.signal) request.signal = deadline.signal;
    try {
      const url = ORIGIN + row.path;
      const response = await socket.exchange(url, request, readWhole, context);
      return readResponse(row, response.status, response.text, context);
    } catch (error) {
      if (row.mayClose && isClosed(error)) return undefined;
      throw error;
    } finally {
      deadline.end();
    }
  }

  const close = (): void => socket.close();
  return Object.assign(new Api(call), {
    socketPath: socket.path,
    close,
    [Symbol.dispose]: close,
  });
}

type Deadlines = NonNullable<CreateClientOptions["timeoutMs"]>;

function deadlineOf(row: OperationRow, deadlines: Deadlines): number {
  const own = typeof deadlines === "number" ? deadlines : deadlines[row.name];
  return own ?? row.deadlineMs;
}

function checkDeadlines(deadlines: Deadlines): void {
  if (typeof deadlines !== "object") {
    return checkDeadline("timeoutMs", deadlines);
  }
  for (const [name, ms] of Object.entries(deadlines)) {
    if (!Object.hasOwn(operations, name)) {
      throw new RangeError(`timeoutMs names "${name}", which is no operation`);
    }
    if (ms !== undefined) checkDeadline(`timeoutMs["${name}"]`, ms);
  }
}

function assertNotFatal(
  name: OperationName,
  body: unknown,
  context: ErrorContext,
): void {
  for (const { field, reason } of findFatalFields(name, body)) {
    const told = `${reason}; allowFatal lets it through`;
    throw new InvalidRequestError("fatal_request", field, told, context);
  }
}

function serialize(body: unknown, context: ErrorContext): string {
  const refuse = (field: string, reason: string, cause?: unknown): never => {
    const from = cause === undefined ? context : { ...context, cause };
    throw new InvalidRequestError("invalid_request", field, reason, from);
  };
  try {
    return stringify(body) ??
      refuse("body", "it takes a body, and there is none");
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error;
    return error instanceof InexactValueError
      ? refuse(error.path, error.message)
      : refuse("body", `the body is no JSON: ${error}`, error);
  }
}

async function readWhole(
  response: TransportResponse,
): Promise<{ status: number; text: string }> {
  return { status: response.status, text: await response.text() };
}

/** Some operations end the process that would answer. */
function isClosed(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === "closed";
}

const JSON_BODY = { "content-type": "application/json" };
