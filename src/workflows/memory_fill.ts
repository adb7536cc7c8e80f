/**
 * Waits for memory that a VMM still fills. After a restore with
 * `memory_restore_mode: "OnDemand"` the VMM reads the memory of the snapshot in
 * the background. Until all of it is there, v53.0 and later refuse
 * `vm.snapshot` and `vm.send-migration` as `busy`, in every state of the VM.
 */
import { ApiError } from "../errors/errors.ts";
import { pollUntil } from "../vmm/poll.ts";
import type { Vmm, WaitOptions } from "../vmm/vmm.ts";

/**
 * Makes an attempt, and another one when the memory is filled, if the VMM has
 * refused the first one as `busy`. A refusal changes nothing in the VMM; the
 * attempt itself has to roll back its earlier steps, such as a pause.
 *
 * The VMM gives up when the memory file of the snapshot is truncated before the
 * memory is filled, and stays `busy` for ever: only the signal ends the wait.
 */
export async function whenMemoryIsFilled<T>(
  vmm: Vmm,
  attempt: () => Promise<T>,
  options: WaitOptions = {},
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isFilling(error)) throw error;
    }
    await waitForMemoryFill(vmm, options);
  }
}

/** Resolves when the VMM has read all memory of the snapshot. */
async function waitForMemoryFill(
  vmm: Vmm,
  options: WaitOptions,
): Promise<void> {
  const { vm } = vmm.client;
  await pollUntil({ client: vmm.client, exited: vmm.exited }, {
    goal: { subject: "VM", unmet: "still fills its memory" },
    async probe(signal) {
      try {
        // No other request tells. The VMM refuses an empty address in every
        // state of the VM, and only after the memory is filled.
        await vm.sendMigration({ destination_url: "" }, { signal });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (isFilling(error)) return undefined;
      }
      return true;
    },
  }, options);
}

/** Tells whether the VMM refused a call because it still fills the memory. */
export function isFilling(error: unknown): boolean {
  return error instanceof ApiError && error.code === "busy";
}
