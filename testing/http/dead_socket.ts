/** Socket files that a dead process has left. */
import { rmSync } from "node:fs";
import { connect } from "node:net";

/**
 * Removes a socket file that no process listens on.
 *
 * @returns false if a process listens on the socket.
 */
export async function removeDeadSocket(path: string): Promise<boolean> {
  const inUse = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (!inUse) rmSync(path, { force: true });
  return !inUse;
}
