/** The names of the codes. Their table is code_table.ts. */

/** The reason why the VMM refused a call; see {@linkcode ApiError}. */
export type ApiErrorCode =
  /** The VMM has no VM. */
  | "not_created"
  /** The VM is not booted. */
  | "not_running"
  /** The VMM has a VM already. */
  | "already_exists"
  /** The VM is in a state in which the operation does not work. */
  | "wrong_state"
  /** The VM is being sent to another VMM. */
  | "migrating"
  /** The VM has no device with this id. */
  | "unknown_device"
  /** The id, device path or PCI slot is taken in this VM. */
  | "duplicate_id"
  /** The VMM does not accept a value, or values together. */
  | "invalid_config"
  /** The VMM cannot read the body: wrong JSON, types or fields. */
  | "invalid_json"
  /** The body is larger than the VMM's limit. */
  | "too_large"
  /** The VMM's build or release does not have the operation, or the device does not allow it. */
  | "unsupported"
  /** The guest or the VMM has not finished an earlier request. */
  | "busy"
  /** All ten connections of the VMM are taken. */
  | "overloaded"
  /** The VMM process is ending. */
  | "vmm_gone"
  /** A file, directory, device or back end on the host is not there. */
  | "missing_file"
  /** A file, address, network interface or port of the host is taken, such as a locked image. */
  | "in_use"
  /** The operating system denies the VMM access. */
  | "no_permission"
  /** The host has not enough memory or disk space. */
  | "no_memory"
  /** A file does not have the content or the type that the VMM needs. */
  | "bad_file"
  /** A refusal without a code of its own; `messages` has the reason. */
  | "other";

/** The reason why a call got no response; see {@linkcode ConnectionError}. */
export type ConnectionErrorCode =
  /** There is no socket at the path: the VMM has ended, or never started. */
  | "socket_missing"
  /** Nothing listens on the socket: the VMM was killed and left it behind. */
  | "refused"
  /** The operating system denies the script access to the socket. */
  | "permission_denied"
  /** The permissions of the runtime, such as Deno's, deny access to the socket. */
  | "runtime_permission"
  /** The connection ended before the response was complete. */
  | "closed"
  /** The response is not HTTP, or not that of a VMM. */
  | "not_http";

/** The reason why a call was not sent; see {@linkcode InvalidRequestError}. */
export type InvalidRequestErrorCode =
  /** An argument or a field of the body is wrong. */
  | "invalid_request"
  /** The request is known to stop or hang the VMM process. */
  | "fatal_request"
  /** The release of the VMM does not have the operation; see the option `release`. */
  | "unsupported";

/** Every `code` of this library's errors. */
export type ErrorCode =
  | ApiErrorCode
  | ConnectionErrorCode
  | InvalidRequestErrorCode
  /** The deadline of a call or a wait passed. */
  | "deadline"
  /** The VMM process ended, or did not get ready. */
  | "vmm_exited"
  /** A workflow failed, and rolling it back failed too. */
  | "rollback_failed"
  /** A migration failed or was aborted. */
  | "migration_failed"
  /** The guest closed a connection, or listens on no such vsock port. */
  | "reset"
  /** The socket of the host is not the vsock socket of a VMM. */
  | "not_vsock"
  /** The real program would not accept the command line. */
  | "invalid_command_line";

/**
 * The advice about a second try. `now`: the VMM did nothing, and the same
 * request may succeed later. `look`: the request may have been carried out; ask
 * the VMM first. `never`: the request fails again until it or the host changes.
 */
export type Retry = "now" | "look" | "never";
