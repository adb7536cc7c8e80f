/** The sockets that a VMM creates for its VM. */
import { lstatSync } from "node:fs";
import { ApiError } from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";

/** The parts of a configuration that can name a socket. */
type SocketConfig = Pick<
  VmConfig,
  "console" | "net" | "serial" | "vsock"
>;

/** The paths of the sockets that `vm.create` creates. */
export function consoleSocketsOf({ console, serial }: SocketConfig): string[] {
  return [serial, console].flatMap((port) =>
    port?.mode === "Socket" && port.socket ? [port.socket] : []
  );
}

/** The paths of the sockets that `vm.boot` creates. */
export function deviceSocketsOf({ net, vsock }: SocketConfig): string[] {
  const servers = (net ?? []).flatMap(({ vhost_mode, vhost_socket }) =>
    vhost_mode === "Server" && vhost_socket ? [vhost_socket] : []
  );
  return vsock?.socket ? [vsock.socket, ...servers] : servers;
}

/** The paths of all sockets that the VMM creates. */
export function socketsOf(config: SocketConfig): string[] {
  return [...consoleSocketsOf(config), ...deviceSocketsOf(config)];
}

/** Tells whether a path is a socket; a symbolic link is none. */
export function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

/**
 * Adds to the message of an error about an address in use which of the sockets
 * exist. It does not connect to them: that would take a serial port from its
 * user.
 */
export function addBlockingSockets(error: unknown, paths: string[]): void {
  if (!(error instanceof ApiError)) return;
  if (!error.messages.some((line) => IN_USE.test(line))) return;
  const existing = paths.filter((path) =>
    isSocket(path) && !error.message.includes(`"${path}" exists`)
  );
  if (existing.length === 0) return;
  const sockets = existing.map((path) => `the socket "${path}" exists`);
  const text = `; ${sockets.join(", ")}: remove it if no VMM uses it`;
  const { message, stack } = error;
  error.message += text;
  // Deno prints the stack, which begins with the message.
  if (stack) error.stack = stack.replace(message, () => error.message);
}

const IN_USE = /Address already in use \(os error 98\)/;
