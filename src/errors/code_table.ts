/**
 * The table of error codes: the signs of each, the advice, and whether to try
 * again. The diagnosis, the messages and docs/errors.md are made from it.
 */
import type { CodeEntry } from "./code_entry.ts";
import type { ErrorCode, Retry } from "./error_code.ts";

export const codeTable: { readonly [code in ErrorCode]: CodeEntry } = {
  not_created: {
    advice: "create a VM first with vm.create",
    messages: [
      "VM is not created",
      "The VM is not created",
      "VM config is missing",
    ],
  },
  not_running: {
    advice: "boot the VM first with vm.boot",
    messages: ["VM is not running"],
  },
  already_exists: {
    advice: "delete the VM first with vm.delete",
    messages: [
      "VM is already created",
      "Can't receive a migration {}",
      "invalid VM state transition: Running to Running",
    ],
  },
  wrong_state: {
    advice: "ask vm.info for the state",
    messages: [
      "Invalid transition: {}",
      "invalid VM state {}",
      [
        "Trying to snapshot {}",
        "pause the VM first, or use snapshotVm of ./workflows",
      ],
      "Trying to coredump while {}",
      "VM is not running or {}",
    ],
  },
  migrating: {
    retry: "now",
    advice: "wait until the migration has ended",
    messages: [
      "VM is currently migrating {}",
      "There is already {}",
    ],
  },
  unknown_device: {
    advice: "vm.info lists the ids",
    messages: [
      "Failed to find device {}",
      "No device with id {}",
      "Unknown memory zone",
    ],
  },
  duplicate_id: {
    advice:
      "choose another; a removed device keeps its id until the guest releases it",
    messages: [
      "Identifier {} is not unique",
      "Invalid identifier as {}",
      "Memory zone identifier {}",
      "Duplicated {}",
      "Valid PCI {}",
    ],
  },
  invalid_config: {
    messages: [
      "Failed to validate config",
      "Invalid {} configuration",
      "Invalid Landlock access: {}",
      "Invalid resize {}",
      "Invalid size {}",
      "Invalid hotplug {}",
      "Memory configuration is {}",
      "Memory size is {}",
      "No memory zones {}",
      "Too many {}",
      "Requested {}",
      "The requested {}",
      "Not enough space in {}",
      "Impossible to {}",
      "Failed to virtio-mem {}",
      "No virtio-mem {}",
      "Missing {}",
      "Cannot hotplug {}",
      "No disk path {}",
      "No socket option {}",
      "Trying to use a size {}",
      "Disk image size {}",
      "path must be {}",
      "Interface name {}",
      "Unable to configure {}",
      "Setting {} failed",
      "Failure to parse uuid{}",
      "Cannot modify {}",
      "Cannot find a {}",
      "Cannot create virtio-mem {}",
      "Error from region creation",
      "Error related to {}",
      "Could not extract {}",
      "Expected {}",
      "Error validating {}",
      "Local migration {}",
      "Failed to write ACPI {}",
      "Error {} to TCP socket: invalid {}",
      "invalid socket address",
    ],
  },
  invalid_json: {
    advice: "validate() of ./schema finds the field",
    messages: ["Failed to deserialize JSON", "Bad Request"],
  },
  too_large: {
    advice: "v53.0 takes bodies up to 51200 bytes, later releases 4 MiB",
    messages: [
      "Request payload {}",
    ],
  },
  unsupported: {
    advice:
      "this VMM's build or release does not have the operation, or the device does not allow it",
    messages: [
      "Not Found",
      "Invalid HTTP Method: {}",
      "Not allowed to remove {}",
      "Cannot remove device {}",
    ],
  },
  busy: {
    retry: "now",
    advice: "try again when an earlier request has ended",
    status: 429,
    messages: [
      "VM on-demand memory restore {}",
      "Cannot migrate while {}",
    ],
  },
  overloaded: {
    retry: "now",
    advice: "its ten connections are taken: try again",
    status: 503,
  },
  vmm_gone: {
    retry: "look",
    advice: "the VMM is ending",
    messages: ["receiving on {}", "sending on {}"],
  },
  missing_file: {
    advice: "check that it exists on the VMM's host",
    errnos: [2, 6, 19, 20, 111],
    messages: [
      "Destination is {}",
      "Failed to create TPM Device {}",
      "failure in {}",
    ],
  },
  in_use: {
    advice: "something on the host has taken it",
    errnos: [16, 17, 98],
    messages: [
      "The file is already locked",
      "Cannot add legacy {}",
      "Failed to allocate IO port",
      "VFIO-user socket {}",
    ],
  },
  no_permission: {
    advice: "check the VMM's user and its landlock rules",
    errnos: [1, 13, 30],
  },
  no_memory: {
    advice: "ask for less, or free some on the host",
    errnos: [12, 28],
  },
  bad_file: {
    advice: "check the file's type and content",
    errnos: [21],
    messages: [
      "failed to fill whole buffer",
      "The specified file {}",
      "Failed getting {}",
      "Kernel Loader: {}",
      "Kernel lacks {}",
      "Firmware too big",
      "Disk image type {}",
      [
        "Maximum disk {}",
        "set backing_files of the disk",
      ],
      "Using a directory {}",
      "Trying to use a directory {}",
    ],
  },
  other: { retry: "look" },

  socket_missing: {
    retry: "now",
    problem: "no such socket",
    advice:
      "start the VMM with --api-socket, or check the path and its directory",
  },
  refused: {
    retry: "now",
    problem: "nothing listens on the socket",
    advice:
      "a dead VMM leaves its socket behind: start it again, or check the path",
  },
  permission_denied: {
    problem: "the system denies access to the socket",
    advice: "run as the user that started the VMM",
  },
  runtime_permission: {
    problem: "the runtime denies access to the socket",
    advice:
      "in Deno allow all of --allow-read=SOCKET --allow-write=SOCKET --allow-net=unix:SOCKET,[100::1]:80",
  },
  closed: {
    retry: "look",
    problem: "the connection ended before the response was complete",
    advice: "the VMM may have done it, or died: ask vm.info first",
  },
  not_http: {
    retry: "look",
    problem: "the listening program does not answer as a VMM",
    advice: "check that the path is an API socket",
  },

  invalid_request: {},
  fatal_request: {},
  deadline: { retry: "look" },
  vmm_exited: { retry: "look" },
  rollback_failed: { retry: "look" },
  migration_failed: { retry: "look" },
  reset: { retry: "look" },
  not_vsock: {},
  invalid_command_line: {},
};

/** The advice about a second try after an error with a code. */
export function retryOf(code: ErrorCode): Retry {
  return codeTable[code].retry ?? "never";
}
