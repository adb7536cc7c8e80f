/** Maps HTTP requests to operations, and results to HTTP responses. */
import { Buffer } from "node:buffer";
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import { refusals } from "../../src/generated/refusals.gen.ts";
import { requests } from "../../src/generated/requests.gen.ts";
import { stringify } from "../../src/json/json.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import type { HttpRequest } from "../http/request_parser.ts";
import type { VmmError } from "../machine/vmm_error.ts";
import type { Release } from "../release_type.ts";
import { deserialize, SerdeError } from "../serde/deserialize.ts";
import type { HttpReply } from "../http/server.ts";

/** A request for an operation. */
export interface OperationRequest {
  readonly operation: OperationName;
  /** The body with its defaults; undefined if the operation has none. */
  readonly body: unknown;
}

const routes = new Map<string, (typeof operations)[OperationName]>(
  Object.values(operations).map((row) => [row.path, row]),
);

/** Returns the operation at a path. */
export function operationAt(path: string): OperationName | undefined {
  return routes.get(path)?.name;
}

/** Reads a request. Returns a response if no operation can be performed. */
export function route(
  release: Release,
  request: HttpRequest,
): OperationRequest | HttpReply {
  const row = routes.get(request.path);
  if (row === undefined || !hasOperation(release, row.name)) {
    return failure(404, ["Not Found"]);
  }
  const { method, body } = request;
  if (method !== row.method) {
    const known = method === "PUT" || method === "GET";
    // The generic handler answers other methods with an empty body.
    return known || withOwnHandler.includes(row.name) ? BAD : { status: 400 };
  }
  const schema = requests[row.name];
  if (schema === undefined) {
    const refused = body !== undefined && row.method === "PUT" &&
      row.name !== "vmm.shutdown";
    return refused ? BAD : { operation: row.name, body: undefined };
  }
  if (body === undefined) return row.name === "vm.create" ? EMPTY : BAD;
  try {
    const value = deserialize(release, schema, Buffer.from(body));
    if (needsDescriptors(value)) return BAD;
    return { operation: row.name, body: value };
  } catch (error) {
    if (!(error instanceof SerdeError)) throw error;
    return failure(400, ["Failed to deserialize JSON", error.message]);
  }
}

function hasOperation(release: Release, name: OperationName): boolean {
  const { since, feature } = refusals[name];
  return (since === undefined || hasSince(release.name, since)) &&
    (feature === undefined || release.features.includes(feature));
}

/**
 * Returns whether a restore or a migration needs file descriptors with the
 * request. No runtime can receive them.
 */
function needsDescriptors(body: {
  net_fds?: readonly { num_fds: number | bigint }[];
  vfio_fds?: unknown;
}): boolean {
  return body.vfio_fds !== undefined ||
    (body.net_fds ?? []).some(({ num_fds }) => BigInt(num_fds) > 0n);
}

/** The operations that the generic handler does not serve. */
const withOwnHandler: readonly OperationName[] = [
  "vm.create",
  "vm.info",
  "vmm.ping",
  "vmm.shutdown",
];

const BAD = failure(400, ["Bad Request"]);
const EMPTY: HttpReply = { status: 400 };

/** The response of an operation that succeeded. */
export function success(operation: OperationName, data: unknown): HttpReply {
  if (operation === "vmm.shutdown") return { status: 200 };
  if (data === undefined) return { status: 204 };
  return { status: 200, body: stringify(data)! };
}

/** The response of an operation that was refused. */
export function errorReply(
  release: Release,
  operation: OperationName,
  { kind, chain }: VmmError,
): HttpReply {
  const status = release.statuses[kind];
  if (kind === "busy") return failure(status, chain);
  const message = release.messages[operation] ?? refusals[operation].message;
  return failure(status, [API, message, ...chain]);
}

/** The response when the thread of the VMM has panicked. */
export const panicReply: HttpReply = failure(500, [
  "Error from API",
  "API response receive error",
  "receiving on a closed channel",
]);

const API = "Error from API";

/** A response with an error chain. */
export function failure(status: number, chain: readonly string[]): HttpReply {
  return { status, body: JSON.stringify(chain) };
}
