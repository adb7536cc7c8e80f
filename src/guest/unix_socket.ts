/** Unix sockets of the guest's side, and the meaning of their errors. */
import { connect, type Socket } from "node:net";
import { resolve } from "node:path";
import { checkPath } from "../arguments/path.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import { GuestError, type GuestErrorCode } from "../errors/guest_error.ts";

/**
 * Connects. The socket is paused, and its other direction stays open at the
 * peer's end of file.
 *
 * @throws {GuestError} The connection failed.
 */
export function connectSocket(
  path: string,
  signal?: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  if (signal?.aborted) return Promise.reject(signal.reason);
  let socket: Socket;
  try {
    socket = connect({ path, allowHalfOpen: true });
  } catch (error) {
    return Promise.reject(toGuestError(error, path));
  }
  // Later errors come as `close`; without a listener they would end the script.
  socket.on("error", (error) => reject(toGuestError(error, path)));
  socket.once("close", () => reject(toGuestError(undefined, path)));
  socket.once("connect", () => {
    socket.pause();
    resolve(socket);
  });
  const abort = (): void => {
    reject(signal?.reason);
    socket.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", abort));
}

/**
 * The absolute path of a socket, short enough for the kernel with `suffix`.
 *
 * @throws {InvalidRequestError} `field`: the path is empty or too long.
 */
export function checkSocketPath(
  path: string,
  field: string,
  suffix = "",
): string {
  const absolute = resolve(checkPath(field, path)) + suffix;
  const size = new TextEncoder().encode(absolute).length;
  if (size > MAX_PATH_BYTES) {
    throw new InvalidRequestError(
      "invalid_request",
      field,
      `"${absolute}" has ${size} bytes, and the kernel takes ${MAX_PATH_BYTES}: use a shorter path`,
    );
  }
  return absolute;
}

/** The error of a socket as an error of this library. */
export function toGuestError(cause: unknown, path: string): GuestError {
  if (cause instanceof GuestError) return cause;
  const code = codeOf(cause);
  return new GuestError(code, `"${path}": ${REASONS[code]}`, { path, cause });
}

function codeOf(cause: unknown): keyof typeof REASONS {
  const { code, name, message } = (cause ?? {}) as Partial<
    Record<"code" | "name" | "message", unknown>
  >;
  // Deno's permission errors have no code.
  if (name === "NotCapable" || /NotCapable/.test(String(message))) {
    return "runtime_permission";
  }
  return CODES[String(code)] ?? "closed";
}

const CODES: { readonly [code: string]: keyof typeof REASONS } = {
  ENOENT: "socket_missing",
  ENOTDIR: "socket_missing",
  ECONNREFUSED: "refused",
  ENOTSOCK: "refused",
  EIO: "refused",
  ENXIO: "refused",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  ERR_ACCESS_DENIED: "runtime_permission",
  ECONNRESET: "reset",
  EPIPE: "reset",
  EADDRINUSE: "in_use",
};

const REASONS = {
  socket_missing: "no such socket; the VMM makes the vsock socket at vm.boot" +
    " and the serial socket at vm.create",
  refused: "nothing listens on the socket; a VMM that was killed leaves its" +
    " sockets behind",
  permission_denied: "the operating system denies access to the socket; run" +
    " as the user that started the VMM",
  runtime_permission: "the runtime's permissions deny access to the socket;" +
    " in Deno allow --allow-read, --allow-write and --allow-net=unix: of it",
  in_use: "another program listens on the socket",
  reset: "the other side broke the connection",
  closed: "the connection was closed",
} as const satisfies { readonly [code in GuestErrorCode]?: string };

/** The size of sun_path, less its NUL. */
const MAX_PATH_BYTES = 107;
