/** The sockets of a VM around its restore. */
import { lstatSync, unlinkSync } from "node:fs";
import { isAbsolute } from "node:path";
import { ApiError, InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig } from "../../generated/types.gen.ts";
import { isSocket, socketsOf } from "../../vmm/vm_sockets.ts";

/**
 * @throws {InvalidRequestError} the path in the configuration of a socket that
 * exists, as far as the script may look: the VMM would refuse the restore.
 */
export function assertSocketsUnused(config: VmConfig): void {
  for (const path of absolute(config)) {
    if (!exists(path)) continue;
    throw new InvalidRequestError(
      "invalid_request",
      fieldOf(config, path),
      `the socket "${path}" exists: remove it if no VMM uses it, or restore with another path, such as by ownPaths`,
    );
  }
}

/**
 * Removes the sockets that a failed restore has left: a VMM creates the socket
 * of the serial port first, and forgets it when the memory cannot be restored.
 * Call it only if the sockets did not exist before.
 */
export function removeSockets(failure: unknown, config: VmConfig): void {
  // Another VMM was faster, and the socket is that VMM's.
  if (failure instanceof ApiError && failure.messages.some(isTaken)) return;
  for (const path of absolute(config)) {
    try {
      if (isSocket(path)) unlinkSync(path);
    } catch {
      // The script may not remove it.
    }
  }
}

/** The VMM resolves a relative path in a directory of its own. */
function absolute(config: VmConfig): string[] {
  return socketsOf(config).filter((path) => isAbsolute(path));
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // In Deno, the script may not look. The VMM does.
    return false;
  }
}

function fieldOf({ console, net, serial, vsock }: VmConfig, path: string) {
  if (vsock?.socket === path) return "vsock.socket";
  if (serial?.socket === path) return "serial.socket";
  if (console?.socket === path) return "console.socket";
  const at = net?.findIndex(({ vhost_socket }) => vhost_socket === path);
  return `net[${at}].vhost_socket`;
}

function isTaken(message: string): boolean {
  return message.endsWith("Address already in use (os error 98)");
}
