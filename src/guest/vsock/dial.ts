/** Connects to a vsock port of the guest. */
import type { Socket } from "node:net";
import { GuestError } from "../../errors/guest_error.ts";
import { excerptOf } from "../console/visible.ts";
import { createGuestScope } from "../guest_scope.ts";
import { explained } from "../path_problem.ts";
import { connectSocket, toGuestError } from "../unix_socket.ts";
import { toVsockConnection, type VsockConnection } from "./connection.ts";
import {
  checkPort,
  exitedOf,
  isNotYet,
  vsockPathOf,
  type VsockTarget,
} from "./target.ts";

/** Options of {@linkcode dialVsock}. */
export interface DialVsockOptions {
  /**
   * When this signal aborts, the dial rejects with the signal's reason. The
   * signal does not end the connection.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds for all attempts together.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * True: a missing socket and a port without a listener are tried again, every
   * 50 milliseconds. With `false` the first failure rejects.
   *
   * Default: `true`.
   */
  readonly retry?: boolean | undefined;
}

/**
 * Connects to a vsock port of the guest, by the socket of the VM's vsock
 * device. A guest whose driver is not up yet, and a VM that is paused, neither
 * accept nor refuse; the dial waits.
 *
 * @param target The VMM, or the path of `vsock.socket`.
 * @throws {DeadlineError} after `timeoutMs`; its `cause` is the last failure.
 * @throws {GuestError} `permission_denied`, `runtime_permission`, `not_vsock`;
 * without `retry` also `socket_missing`, `refused`, and `reset` where nothing
 * listens on the port.
 * @throws {InvalidRequestError} with the field `port` if the port is not valid,
 * or `vsock` if the VM has no vsock device.
 * @throws {VmmExitedError} The VMM of the handle has ended.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { dialVsock } from "@chv/cloud-hypervisor/guest";
 *
 * const client = createClient("/run/vm0/api.sock");
 * const connection = await dialVsock({ client }, 1024);
 * const writer = connection.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello\n"));
 * await writer.close();
 * console.log(await new Response(connection.readable).text());
 * ```
 */
export async function dialVsock(
  target: VsockTarget,
  port: number,
  options: DialVsockOptions = {},
): Promise<VsockConnection> {
  checkPort(port);
  const { signal, timeoutMs = 30_000, retry = true } = options;
  let cause: unknown;
  const goal = {
    unmet: `the guest did not accept a connection to vsock port ${port}`,
    lastFailure: () => cause,
  };
  const scope = createGuestScope(
    { signal, timeoutMs },
    goal,
    exitedOf(target),
  );
  try {
    let path: string | undefined;
    for (;;) {
      try {
        path ??= await scope.race(vsockPathOf(target, scope.signal));
        return await connectTo(path, port, scope.signal);
      } catch (error) {
        if (scope.signal.aborted) throw scope.signal.reason;
        if (!retry || !canComeYet(error)) throw explained(error);
        cause = error;
        // The VMM may be gone, or its VM another one.
        if ((error as GuestError).code !== "reset") path = undefined;
      }
      await scope.pause(RETRY_MS);
    }
  } finally {
    scope.close();
  }
}

function canComeYet(error: unknown): boolean {
  if (error instanceof GuestError) return NOT_YET.has(error.code);
  return isNotYet(error);
}

const NOT_YET: ReadonlySet<string> = new Set([
  "socket_missing",
  "refused",
  "reset",
]);

/** One attempt: connects, asks for the port, and reads the answer. */
async function connectTo(
  path: string,
  port: number,
  signal: AbortSignal,
): Promise<VsockConnection> {
  const socket = await connectSocket(path, signal);
  const { promise, resolve, reject } = Promise.withResolvers<VsockConnection>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  socket.once("close", () => reject(noListener(path, port)));
  socket.once("end", () => reject(noListener(path, port)));
  socket.once("error", (cause) => reject(toGuestError(cause, path)));
  readAnswer(socket, (answer, rest) => {
    const hostPort = /^OK (\d+)$/.exec(answer)?.[1];
    if (hostPort === undefined) reject(notVsock(path, answer));
    else resolve(toVsockConnection(socket, path, Number(hostPort), rest));
  });
  try {
    socket.write(`CONNECT ${port}\n`);
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Calls back with the first line, and the bytes behind it. */
function readAnswer(
  socket: Socket,
  callback: (answer: string, rest: Uint8Array) => void,
): void {
  let bytes = new Uint8Array();
  const onData = (chunk: Uint8Array): void => {
    const joined = new Uint8Array(bytes.length + chunk.length);
    joined.set(bytes);
    joined.set(chunk, bytes.length);
    bytes = joined;
    const end = bytes.indexOf(NEWLINE);
    if (end < 0 && bytes.length <= MAX_ANSWER_BYTES) return;
    socket.pause();
    socket.off("data", onData);
    const size = end < 0 ? MAX_ANSWER_BYTES : Math.min(end, MAX_ANSWER_BYTES);
    const answer = new TextDecoder().decode(bytes.subarray(0, size));
    callback(end < 0 ? `${answer}…` : answer, bytes.slice(end + 1));
  };
  socket.on("data", onData);
  socket.resume();
}

function noListener(path: string, port: number): GuestError {
  return new GuestError(
    "reset",
    `"${path}": nothing in the guest listens on vsock port ${port}`,
    { path },
  );
}

function notVsock(path: string, answer: string): GuestError {
  return new GuestError(
    "not_vsock",
    `"${path}" does not answer as a vsock socket: ${
      excerptOf(answer)
    }; give the path of vsock.socket`,
    { path },
  );
}

const NEWLINE = 10;
/** "OK ", a 32-bit port, and some room. */
const MAX_ANSWER_BYTES = 32;
const RETRY_MS = 50;
