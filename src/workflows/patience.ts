/** Waits for what a VMM does on its own, though not for good. */
import { isGone } from "./migration.ts";
import { Scope } from "./scope.ts";
import type { Vmm } from "./vmm.ts";
import { watch } from "./watch.ts";

/** Resolves when the VMM's process has ended. */
export async function gone(
  { client, exited }: Vmm,
  scope: Scope,
): Promise<void> {
  if (exited) return void await scope.race(exited);
  await watch({ client }, {
    goal: "the source to end",
    async look(signal) {
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
export async function patiently(
  wait: (scope: Scope) => Promise<unknown>,
): Promise<void> {
  const scope = new Scope("an end", { timeoutMs: PATIENCE_MS });
  try {
    await wait(scope);
  } catch {
    // How it ended is told elsewhere.
  } finally {
    scope.close();
  }
}

const PATIENCE_MS = 10_000;
