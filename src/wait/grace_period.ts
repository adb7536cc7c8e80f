/** A wait for something that should happen soon, and may not happen. */
import { AbortScope } from "./abort_scope.ts";

/**
 * Waits for at most 10 s. The result of the wait is ignored, its failure too:
 * the caller looks for itself afterwards.
 */
export async function withGracePeriod(
  wait: (scope: AbortScope) => Promise<unknown>,
): Promise<void> {
  const scope = new AbortScope({ timeoutMs: GRACE_MS });
  try {
    await wait(scope);
  } catch {
    // The caller looks for itself.
  } finally {
    scope.close();
  }
}

const GRACE_MS = 10_000;
