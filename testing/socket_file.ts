/** Closes servers on Unix sockets, and their connections. */
import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import type { Server, Socket } from "node:net";

/**
 * Closes a server on a Unix socket at once, without its connections.
 *
 * @param leave Leaves the socket file behind, as a killed process does.
 */
export function closeServer(
  server: Server,
  path: string | undefined,
  leave: boolean,
): void {
  if (path === undefined || !leave || !existsSync(path)) {
    server.close();
    if (path !== undefined && !leave) rmSync(path, { force: true });
    return;
  }
  // Runtimes remove the file on close; a second name preserves it.
  const second = `${path}.dead`;
  linkSync(path, second);
  server.close();
  renameSync(second, path);
}

/**
 * Closes a connection, once the peer has what was written. A peer that does not
 * read loses the rest.
 */
export function endConnection(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), GRACE_MS);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (socket.destroyed) return finish();
    socket.once("close", finish);
    socket.destroySoon();
  });
}

const GRACE_MS = 500;
