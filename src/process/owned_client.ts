/** The client of a VMM whose process the script owns. */
import type { Client } from "../client/create_client.ts";
import {
  ApiError,
  ConnectionError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import {
  type EndRequest,
  forgetEndRequests,
  noteEndRequest,
} from "../vmm/end_request.ts";
import { onSettled } from "../wait/on_settled.ts";
import type { Child } from "./child.ts";
import type { SocketCleaner } from "./socket_cleaner.ts";

/**
 * A client whose calls fail with a {@linkcode VmmExitedError} when the process
 * has ended, and that prepares the removal of the VM's sockets.
 */
export function createOwnedClient(
  client: Client,
  { exited }: Child,
  sockets: SocketCleaner,
): Client {
  const { socketPath } = client;
  const call = async (
    name: string,
    body: unknown,
    send: () => Promise<unknown>,
  ): Promise<unknown> => {
    sockets.expectCall(name, body);
    const request = END_REQUESTS[name];
    if (request) noteEndRequest(owned, request);
    else if (STARTS.has(name)) forgetEndRequests(owned);
    try {
      const result = await send();
      if (name === "vm.receiveMigration") {
        client.vm.info().then(({ config }) => sockets.adopt(config), () => {});
      }
      return result;
    } catch (error) {
      const exit = await within(exited, graceOf(error));
      if (exit === undefined) {
        sockets.explain(error, name, body);
        throw error;
      }
      const { operation } = error as ApiError | ConnectionError;
      throw new VmmExitedError(exit, { operation, socketPath, cause: error });
    }
  };
  const owned: Client = {
    ...client,
    release: (options) =>
      call("release", undefined, () => client.release(options)) as ReturnType<
        Client["release"]
      >,
    vm: wrap("vm", client.vm, call),
    vmm: wrap("vmm", client.vmm, call),
  };
  return owned;
}

/** The calls that end a VM. */
const END_REQUESTS: Readonly<Record<string, EndRequest>> = {
  "vm.delete": "vm.shutdown",
  "vm.powerButton": "power-button",
  "vm.sendMigration": "vm.send-migration",
  "vm.shutdown": "vm.shutdown",
  "vmm.shutdown": "vmm.shutdown",
};

/** The calls after which another guest runs. */
const STARTS: ReadonlySet<string> = new Set([
  "vm.boot",
  "vm.reboot",
  "vm.receiveMigration",
  "vm.restore",
]);

type Call = (
  name: string,
  body: unknown,
  send: () => Promise<unknown>,
) => Promise<unknown>;

/** An object of methods that go through `call`. */
function wrap<T extends object>(prefix: string, methods: T, call: Call): T {
  const entries = Object.entries(methods) as [
    string,
    (...args: unknown[]) => Promise<unknown>,
  ][];
  return Object.fromEntries(
    entries.map(([name, method]) => [
      name,
      (...args: unknown[]) =>
        call(`${prefix}.${name}`, args[0], () => method(...args)),
    ]),
  ) as T;
}

/** Milliseconds for the end of a process that an error hints at. */
function graceOf(error: unknown): number {
  if (error instanceof ApiError) return error.code === "vmm_gone" ? 2000 : 0;
  if (!(error instanceof ConnectionError)) return 0;
  if (error.code === "closed") return 500;
  return error.code === "refused" || error.code === "socket_missing" ? 2000 : 0;
}

function within(
  exited: Promise<VmmExit>,
  ms: number,
): Promise<VmmExit | undefined> {
  if (ms === 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      removeListener();
      resolve(undefined);
    }, ms);
    const removeListener = onSettled(exited, (exit) => {
      clearTimeout(timer);
      resolve(exit as VmmExit);
    });
  });
}
