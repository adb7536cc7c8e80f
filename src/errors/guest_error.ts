/** Errors of the ways to the guest: vsock and consoles. */
import { CloudHypervisorError } from "./base_error.ts";
import { registerError } from "./error_from.ts";

/** Reasons for a {@linkcode GuestError}. */
export type GuestErrorCode =
  | "socket_missing"
  | "refused"
  | "permission_denied"
  | "runtime_permission"
  | "in_use"
  | "reset"
  | "not_vsock"
  | "vmm_exited"
  | "closed";

/** The socket and the cause of a {@linkcode GuestError}. */
export interface GuestErrorContext {
  /** The vsock or serial socket, or the pty, absolute. */
  readonly path?: string | undefined;
  /** The error that the runtime threw. */
  readonly cause?: unknown;
}

/**
 * The guest cannot be reached, or the connection to the guest has ended.
 *
 * - `socket_missing`: the VMM has not created the socket yet, or has ended.
 * - `refused`: nothing listens on the socket: the VMM was killed.
 * - `permission_denied`: the operating system denies access to the socket.
 * - `runtime_permission`: the permissions of the runtime, such as Deno's, deny
 *   access to the socket.
 * - `in_use`: another program listens on the socket, or took the serial port.
 * - `reset`: nothing in the guest listens on the vsock port, or the guest or
 *   the VMM broke the connection.
 * - `not_vsock`: the socket does not answer as a vsock device of the VMM.
 * - `vmm_exited`: the VMM ended before the expected output came.
 * - `closed`: the script closed the connection, the console or the listener, or
 *   a console that was opened by a path has ended.
 */
export class GuestError extends CloudHypervisorError {
  static {
    registerError("GuestError", ({ cause }) => {
      return new this("closed", "", { cause });
    });
  }

  /** The name of the class. */
  override readonly name = "GuestError";
  /** The reason. */
  override readonly code: GuestErrorCode;
  /** The vsock or serial socket, or the pty, absolute. */
  readonly path: string | undefined;

  /**
   * Only the library makes errors; tests can use `errorFrom`.
   *
   * @internal
   */
  constructor(
    code: GuestErrorCode,
    message: string,
    { path, cause }: GuestErrorContext = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.path = path;
  }
}
