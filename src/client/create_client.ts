/** Joins the generated operations, the socket and the errors. */
import { readResponse } from "./response.ts";
import { checkDeadline, Deadline } from "../wait/deadline.ts";
import type { ErrorContext } from "../errors/base_error.ts";
import { ConnectionError, InvalidRequestError } from "../errors/errors.ts";
import { findFatalFields } from "../requests/fatal_requests.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { Operation } from "../generated_support/operation.ts";
import type { VmmRelease } from "../generated_support/release.ts";
import {
  type Api,
  createApi,
  type OperationName,
  operations,
} from "../generated/api.gen.ts";
import { ApiSocket } from "./api_socket.ts";
import { serialize } from "./serialize.ts";
import {
  assertSupported,
  assertSurvives,
  checkRelease,
  releaseOf,
} from "./release.ts";
import {
  ORIGIN,
  type TransportRequest,
  type TransportResponse,
} from "../transport/transport.ts";

/** The options of {@linkcode createClient}. */
export interface CreateClientOptions {
  /**
   * Deadlines in milliseconds: one number for all operations, or numbers by
   * wire name, such as `{ "vm.boot": 60_000 }`. `Infinity` is none. The time
   * counts from the call and includes waiting for a free connection.
   *
   * Default: 10 s for `vmm.ping`, `vm.info` and `vm.counters`; none for
   * snapshot, restore, coredump and migration; 5 minutes for all others.
   */
  timeoutMs?: number | Partial<Record<OperationName, number>>;
  /**
   * The number of calls that run at the same time, 1 to 9; further calls wait.
   * The VMM accepts ten connections in total, shared by all clients.
   *
   * Default: `4`.
   */
  maxConnections?: number;
  /**
   * Sends requests that are known to stop or hang the VMM process, instead of
   * refusing them with the code `fatal_request`.
   *
   * Default: `false`.
   */
  allowFatal?: boolean;
  /**
   * The release of the VMM, as {@linkcode Client.release} returns it. Calls of
   * operations that the release does not have are then refused as `unsupported`
   * before anything is sent. Before v53.0, `vm.send-migration` without a VM and
   * `vm.boot` after a boot that failed end the VMM, and `vm.receive-migration`
   * replaces the VM that is there: the client then asks `vm.info` first, and
   * refuses them as `fatal_request`.
   *
   * Default: unknown; nothing is refused for the release.
   */
  release?: VmmRelease;
  /**
   * A function that makes the requests in place of the runtime's fetch, for
   * logs or tests. It gets whole URLs and must route them to the socket itself,
   * usually with {@linkcode unixFetch}.
   */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * A client of one VMM; made by {@linkcode createClient}. `vm` and `vmm` are plain
 * objects of functions: they can be taken apart, and wrapped by a spread.
 */
export interface Client extends Api {
  /** The API socket, absolute. */
  readonly socketPath: string;
  /**
   * Asks `vmm.ping` for the release of the VMM: the name of its tag, such as
   * `v52.0`, whatever a distribution adds to the version; `v54.0-dev` for a
   * build between the tags v53.0 and v54.0. Names of releases that are older or
   * newer than `apiSpec` says are returned, too.
   */
  release(options?: CallOptions): Promise<VmmRelease>;
  /**
   * Refuses new calls; calls that run or wait go on. Can be called again. A
   * client that is never closed keeps no connection open and does not keep a
   * script alive.
   */
  close(): void;
  /** Calls {@linkcode Client.close}. */
  [Symbol.dispose](): void;
}

/**
 * Makes a client of the VMM that listens on `socketPath`. It opens nothing: the
 * first call connects. A call resolves to the VMM's data, or to `undefined` if
 * the VMM answers without a body. It rejects with an error of this library, or
 * with the reason of the signal that aborted it. No request is sent twice.
 *
 * @throws {InvalidRequestError} when the path is empty, contains a NUL, is a URL
 * or is, once made absolute, longer than the kernel's 107 bytes.
 * @throws {RangeError} when an option is outside its range.
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
  checkRelease(options.release);
  if (
    !Number.isInteger(maxConnections) || maxConnections < 1 ||
    maxConnections > 9
  ) {
    throw new RangeError(`maxConnections is ${maxConnections}, not 1 to 9`);
  }
  const socket = new ApiSocket(socketPath, maxConnections, options.fetch);

  async function call<T>(
    operation: Operation<OperationName>,
    body: unknown,
    callOptions: CallOptions = {},
  ): Promise<T> {
    const { signal, timeoutMs = deadlineOf(operation, deadlines) } =
      callOptions;
    checkDeadline("timeoutMs", timeoutMs);
    const context = { operation: operation.name, socketPath: socket.path };
    if (options.release !== undefined) {
      await assertFits(operation, options.release, context, callOptions);
    }
    const request: TransportRequest = { method: operation.method };
    if (operation.hasBody) {
      if (!options.allowFatal) assertNotFatal(operation.name, body, context);
      request.body = serialize(body, context);
      request.headers = JSON_BODY;
    }
    const deadline = new Deadline(signal, timeoutMs, context);
    if (deadline.signal) request.signal = deadline.signal;
    try {
      const url = ORIGIN + operation.path;
      const { status, text } = await socket.exchange(
        url,
        request,
        readWhole,
        context,
      );
      return readResponse(operation, status, text, context) as T;
    } catch (error) {
      if (operation.mayClose && isClosed(error)) return undefined as T;
      throw error;
    } finally {
      deadline.end();
    }
  }

  /** @throws {InvalidRequestError} if the release cannot take the call. */
  async function assertFits(
    operation: Operation<OperationName>,
    release: VmmRelease,
    context: ErrorContext,
    callOptions: CallOptions,
  ): Promise<void> {
    assertSupported(operation, release, context);
    if (options.allowFatal) return;
    const info = () => api.vm.info(callOptions);
    await assertSurvives(operation.name, release, info, context);
  }

  const api = createApi(call);
  const close = (): void => socket.close();
  return {
    ...api,
    release: async (callOptions) => releaseOf(await api.vmm.ping(callOptions)),
    socketPath: socket.path,
    close,
    [Symbol.dispose]: close,
  };
}

type Deadlines = NonNullable<CreateClientOptions["timeoutMs"]>;

function deadlineOf(
  { name, deadlineMs }: Operation<OperationName>,
  deadlines: Deadlines,
): number {
  const given = typeof deadlines === "number" ? deadlines : deadlines[name];
  return given ?? deadlineMs;
}

function checkDeadlines(deadlines: Deadlines): void {
  if (typeof deadlines !== "object") {
    return checkDeadline("timeoutMs", deadlines);
  }
  for (const [name, ms] of Object.entries(deadlines)) {
    if (!Object.hasOwn(operations, name)) {
      throw new RangeError(
        `timeoutMs names "${name}", which is not an operation`,
      );
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
    const advised = `${reason}; allowFatal lets it through`;
    throw new InvalidRequestError("fatal_request", field, advised, context);
  }
}

async function readWhole(
  response: TransportResponse,
): Promise<{ status: number; text: string }> {
  return { status: response.status, text: await response.text() };
}

/** Some operations end the process that would answer them. */
function isClosed(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === "closed";
}

const JSON_BODY = { "content-type": "application/json" };
