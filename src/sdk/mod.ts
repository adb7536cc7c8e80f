/**
 * hey-api's own SDK and fetch client over the API socket. Its errors are not
 * those of the other entries: a call does not reject when the VMM refuses it,
 * but resolves to `{ data, error, response }`, where `error` is the VMM's array
 * of messages, without a code. Use it for hey-api's interceptors. Numbers are
 * exact here, too.
 *
 * @example
 * ```ts
 * import { createSdk } from "@chv/cloud-hypervisor/sdk";
 *
 * const sdk = createSdk("/run/vm0/api.sock");
 * const { data, error } = await sdk.vmm.ping();
 * console.log(data?.version, error);
 * ```
 *
 * @module
 */
import { unixFetch } from "../client/unix_fetch.ts";
import { withoutNulls } from "../client/without_nulls.ts";
import { operations } from "../generated/api.gen.ts";
import {
  type Client,
  type Config,
  createClient,
  createConfig,
} from "../generated/client/index.ts";
import { Sdk, type Vm, type Vmm } from "../generated/sdk.gen.ts";
import { parse, parseBigints, stringify } from "../json/json.ts";
import { ORIGIN } from "../transport/transport.ts";

export type { Client, Config };

/** hey-api's SDK on one API socket; made by {@linkcode createSdk}. */
export interface SocketSdk {
  /** The operations `vm.*`, such as `sdk.vm.addDisk({ body })`. */
  readonly vm: Vm;
  /** The operations `vmm.*`. */
  readonly vmm: Vmm;
  /** hey-api's client, for its interceptors and its configuration. */
  readonly client: Client;
  /** Refuses new calls; running requests continue. Idempotent. */
  close(): void;
  /** Calls {@linkcode SocketSdk.close}. */
  [Symbol.dispose](): void;
}

/**
 * Makes hey-api's SDK for the VMM that listens on `socketPath`. It opens
 * nothing: the first call connects.
 *
 * @throws {InvalidRequestError} when the path is empty, holds a NUL or is, made
 * absolute, longer than the kernel's 107 bytes.
 */
export function createSdk(socketPath: string, config: Config = {}): SocketSdk {
  const fetch = unixFetch(socketPath);
  const client = createClient(createConfig({
    baseUrl: `${ORIGIN}/api/v1`,
    // Its own would write a bigint as a string, which the VMM refuses.
    bodySerializer: stringify,
    fetch: fetch as unknown as typeof globalThis.fetch,
    ...config,
  }));
  client.interceptors.response.use(exact);
  const { vm, vmm } = new Sdk({ client });
  const close = (): void => fetch.close();
  return { vm, vmm, client, close, [Symbol.dispose]: close };
}

type Options = Pick<Config, "parseAs" | "responseTransformer">;

/** hey-api parses by JSON.parse, and so loses digits: this has the last word. */
async function exact(
  response: Response,
  request: Request,
  options: Options,
): Promise<Response> {
  const { parseAs = "auto" } = options;
  if (!response.ok || (parseAs !== "auto" && parseAs !== "json")) {
    return response;
  }
  const text = await response.clone().text();
  if (text === "") return response;
  const { pathname } = new URL(request.url);
  const decode = BIGINTS.has(pathname) ? parseBigints : parse;
  const { responseTransformer = (data) => data } = options;
  options.parseAs = "json";
  options.responseTransformer = (_lossy) => {
    const data = decode(text);
    const typed = pathname === INFO ? withoutNulls(data) : data;
    return Promise.resolve(responseTransformer(typed));
  };
  return response;
}

const INFO = operations["vm.info"].path;

const BIGINTS: ReadonlySet<string> = new Set(
  Object.values(operations).filter(({ bigint }) => bigint)
    .map(({ path }) => path),
);
