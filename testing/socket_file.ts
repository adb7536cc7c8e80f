/** Closes servers on Unix sockets. */
import { linkSync, renameSync, rmSync } from "node:fs";
import type { Server } from "node:net";

/**
 * Closes a server on a Unix socket, without its connections.
 *
 * @param leave Leaves the socket file behind, as a killed process does.
 */
export async function closeServer(
  server: Server,
  path: string | undefined,
  leave: boolean,
): Promise<void> {
  // Runtimes remove the file on close; a second name preserves it.
  const second = `${path}.dead`;
  const preserve = leave && path !== undefined;
  if (preserve) linkSync(path, second);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Later, the path may be that of another server.
  if (!preserve && path !== undefined) rmSync(path, { force: true });
  await closed;
  if (preserve) renameSync(second, path);
}
