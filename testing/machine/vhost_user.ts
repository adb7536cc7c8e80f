/** Connections to the back ends of vhost-user devices. */
import type { Machine } from "./machine.ts";
import { deviceManagerError, osError } from "./vmm_error.ts";

/** Milliseconds for which the VMM tries to connect to a back end. */
const RETRY_MS = 60_000;

/**
 * Returns a function that connects to the back end of a device.
 *
 * If nothing listens, the VMM retries for a minute; until then it answers no
 * other request.
 */
export function connectVhostUser(
  name: string,
): (machine: Machine, device: { socket: string }) => undefined {
  return ({ parts: { host }, release }, { socket }) => {
    try {
      host.assertSocket(socket);
    } catch (error) {
      const absent = (error as { code?: string }).code !== undefined;
      const named = release.vhostUserTimeout === "named" && absent;
      const chain = named ? ["Timed out waiting for vhost-user connection"] : [
        "Connection to socket failed",
        `vhost-user: can't connect to peer: ${osError(error)}`,
      ];
      const failure = deviceManagerError(
        `Cannot create ${name} device`,
        ...chain,
      );
      if (absent || release.vhostUserTimeout === "cause") {
        failure.afterMs = RETRY_MS;
      }
      throw failure;
    }
  };
}
