/** A device taken out of a VM. */
import type { Client } from "../client/create_client.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../vmm/vmm.ts";
import { waitForDeviceRemoved } from "../vmm/wait_for.ts";

/**
 * Asks the guest to let go of a device, and waits until it has: only then the
 * id, the slot and what is behind it can be used again. A guest without a
 * driver for it never does, so give a `timeoutMs` or a `signal`. Its id stays
 * taken then: a script that adds devices again and again had better leave `id`
 * out and use the answer's.
 *
 * @throws {ApiError} `unknown_device`, and as the VMM refuses it.
 * @throws {DeadlineError} after `timeoutMs`; the device is still to go.
 * @throws {VmmExitedError} when the VMM ended.
 */
export async function removeDeviceAndWait(
  vmm: Client | Vmm,
  id: string,
  options: WaitOptions = {},
): Promise<void> {
  const { client } = vmmOf(vmm);
  const { signal } = options;
  await client.vm.removeDevice({ id }, signal && { signal });
  await waitForDeviceRemoved(vmm, id, options);
}
