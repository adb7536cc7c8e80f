/** Waits for the end of a VMM, also of one that another program started. */
import { ConnectionError, VmmExitedError } from "../errors/errors.ts";
import type { AbortScope } from "../wait/abort_scope.ts";
import { pollUntil } from "./poll.ts";
import type { Vmm } from "./vmm.ts";

/** Resolves when the VMM's process has ended. */
export async function waitForExit(
  { client, exited }: Vmm,
  scope: AbortScope,
): Promise<void> {
  if (exited) return void await scope.race(exited);
  await pollUntil({ client }, {
    goal: { subject: "VMM", unmet: "has not ended" },
    async probe(signal) {
      try {
        await client.vmm.ping({ signal });
        return undefined;
      } catch (error) {
        if (isGone(error)) return true;
        throw error;
      }
    },
  }, { signal: scope.signal });
}

/** Tells whether an error means that no process listens on the socket. */
export function isGone(error: unknown): boolean {
  return error instanceof VmmExitedError ||
    error instanceof ConnectionError &&
      (error.code === "refused" || error.code === "socket_missing");
}
