/** Accepts connections that the guest opens. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { type VmmExit, VmmExitedError } from "../../errors/errors.ts";
import { GuestError } from "../../errors/guest_error.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { createGuestScope } from "../guest_scope.ts";
import { onSettled } from "../../wait/on_settled.ts";
import { explained } from "../path_problem.ts";
import { connectSocket, toGuestError } from "../unix_socket.ts";
import type { VsockConnection } from "./connection.ts";
import { ConnectionQueue } from "./connection_queue.ts";
import {
  checkPort,
  exitedOf,
  vsockPathOf,
  type VsockTarget,
} from "./target.ts";

/** Options of {@linkcode listenVsock}. */
export interface ListenVsockOptions {
  /** Closes the listener; the iteration rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a listener's `accept`. */
export interface AcceptOptions {
  /**
   * When this signal aborts, `accept` rejects with the signal's reason; the
   * listener stays open.
   */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until a `DeadlineError`. Default: `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A port of the host that the guest can connect to; made by
 * {@linkcode listenVsock}. Iterating gives the connections in their order, and
 * ends when the listener is closed or the VMM ends. Leaving the iteration
 * leaves the listener open.
 */
export interface VsockListener
  extends AsyncDisposable, AsyncIterable<VsockConnection> {
  /** The socket that the VMM connects to: `<vsock.socket>_<port>`. */
  readonly path: string;
  /** The port on the host. */
  readonly port: number;
  /**
   * Resolves to the next connection.
   *
   * @throws {DeadlineError} after `timeoutMs`.
   * @throws {VmmExitedError} The VMM of the handle has ended.
   * @throws {GuestError} `closed`: the listener is closed.
   */
  accept(options?: AcceptOptions): Promise<VsockConnection>;
  /**
   * Removes the socket, and ends connections that nobody took. The others
   * live on.
   */
  close(): void;
  /** Closes the listener. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Listens on a port of the host for connections of the guest. Call it before
 * `vm.boot`: the guest's connection fails at once where nobody listens.
 *
 * The socket has mode 0600 and is removed at the end; a socket that a killed
 * script left behind is replaced. The listener accepts every connection at
 * once, because a waiting connection blocks the VMM's vsock device. It keeps at
 * most 64 connections that the script has not taken; further connections are
 * closed. A listener keeps the script alive.
 *
 * @param target The VMM, or the path of `vsock.socket`.
 * @throws {ApiError} `not_created`: create the VM first, or give the path.
 * @throws {GuestError} `in_use`: another program listens on the port;
 * `socket_missing`: the directory is missing; `permission_denied`,
 * `runtime_permission`.
 * @throws {InvalidRequestError} with the field `port` if the port is not valid,
 * or `vsock` if the VM has no vsock device.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { listenVsock } from "@chv/cloud-hypervisor/guest";
 *
 * // Node 22 cannot parse "await using": use try and finally there.
 * await using vmm = await spawnVmm();
 * await vmm.client.vm.create({
 *   payload: { kernel: "/boot/vmlinux" },
 *   vsock: { cid: 3, socket: `${vmm.directory}/vsock` },
 * });
 * await using listener = await listenVsock(vmm, 1024);
 * await vmm.client.vm.boot();
 * for await (const { readable } of listener) {
 *   console.log(await new Response(readable).text());
 * }
 * ```
 */
export async function listenVsock(
  target: VsockTarget,
  port: number,
  { signal }: ListenVsockOptions = {},
): Promise<VsockListener> {
  checkPort(port);
  const scope = new AbortScope({ signal });
  try {
    const path = await scope.race(
      vsockPathOf(target, scope.signal, `_${port}`),
    );
    const queue = new ConnectionQueue(path);
    const server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true },
      (socket) => queue.add(socket, port),
    );
    await bind(server, path, scope.signal);
    return listenerOf(server, queue, { path, port, signal, target });
  } finally {
    scope.close();
  }
}

interface Place {
  readonly path: string;
  readonly port: number;
  readonly signal: AbortSignal | undefined;
  readonly target: VsockTarget;
}

function listenerOf(
  server: Server,
  queue: ConnectionQueue,
  { path, port, signal, target }: Place,
): VsockListener {
  const { ino } = lstatSync(path);
  const cleanUps: (() => void)[] = [];
  const end = (reason: unknown, ends: boolean): void => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
    if (!queue.end(reason, ends)) return;
    // Another script may have replaced the socket.
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino === ino) unlinkSync(path);
    server.close();
  };
  if (signal) {
    const abort = (): void => end(signal.reason, false);
    signal.addEventListener("abort", abort, { once: true });
    cleanUps.push(() => signal.removeEventListener("abort", abort));
  }
  const exited = exitedOf(target);
  if (exited) {
    const gone = (exit: unknown): void =>
      end(new VmmExitedError(exit as VmmExit), true);
    cleanUps.push(onSettled(exited, gone));
  }
  const close = (): void => {
    const message = `the listener on "${path}" is closed`;
    end(new GuestError("closed", message, { path }), true);
  };
  return {
    path,
    port,
    async accept(options = {}) {
      const scope = createGuestScope(options, {
        unmet: `the guest did not connect to port ${port} of the host`,
      });
      try {
        return await queue.take(scope);
      } finally {
        scope.close();
      }
    },
    close,
    [Symbol.asyncIterator]: () => queue.iterate(),
    [Symbol.asyncDispose]() {
      close();
      return Promise.resolve();
    },
  };
}

/** Listens; replaces a socket that nobody listens on any more. */
async function bind(
  server: Server,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await listen(server, path);
  } catch (error) {
    const failure = toGuestError(error, path);
    if (failure.code !== "in_use" || await isLive(path, signal)) {
      throw explained(failure);
    }
    unlinkSync(path);
    await listen(server, path);
  }
  chmodSync(path, 0o600);
  if (!signal.aborted) return;
  server.close();
  unlinkSync(path);
  throw signal.reason;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}

async function isLive(path: string, signal: AbortSignal): Promise<boolean> {
  try {
    (await connectSocket(path, signal)).destroy();
    return true;
  } catch (error) {
    return !(error instanceof GuestError && error.code === "refused");
  }
}
