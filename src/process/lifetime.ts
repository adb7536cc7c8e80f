/** Ends a running VMM when the signal of `spawnVmm` aborts. */
import { onSettled } from "../wait/on_settled.ts";
import type { VmmProcess } from "./vmm_process.ts";

/** Stops the VMM as `stop()` does; the signal is released with the VMM. */
export function stopOnAbort(
  vmm: VmmProcess,
  signal: AbortSignal,
  timeoutMs: number,
): void {
  const stop = (): void => {
    // A VMM that not even SIGKILL ends: `exited` does not resolve either.
    vmm.stop({ timeoutMs }).catch(() => {});
  };
  signal.addEventListener("abort", stop, { once: true });
  onSettled(vmm.exited, () => signal.removeEventListener("abort", stop));
}
