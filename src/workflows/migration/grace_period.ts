/** Waits for what a VMM does on its own, though not for good. */
import { isGone } from "./error.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { pollUntil } from "../../vmm/poll.ts";

/** Resolves when the VMM's process has ended. */
export async function waitForExit(
  { client, exited }: Vmm,
  scope: AbortScope,
): Promise<void> {
  if (exited) return void await scope.race(exited);
  await pollUntil({ client }, {
    goal: "the source to end",
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

/** Waits, but not for good, for what a VMM does on its own. */
export async function withGracePeriod(
  wait: (scope: AbortScope) => Promise<unknown>,
): Promise<void> {
  const scope = new AbortScope("an end", { timeoutMs: GRACE_MS });
  try {
    await wait(scope);
  } catch {
    // How it ended is told elsewhere.
  } finally {
    scope.close();
  }
}

const GRACE_MS = 10_000;
