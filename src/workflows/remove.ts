/** Removes a device from a VM. */
import type { Client } from "../client/create_client.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../vmm/vmm.ts";
import { waitForDeviceRemoved } from "../vmm/wait_for.ts";

/**
 * Asks the guest to release a device, and waits until the guest has done so.
 * Only then the id, the PCI slot and the file of the device can be used again.
 * A guest without a driver for the device never releases it, so give a
 * `timeoutMs` or a `signal`; the id stays taken then. A script that adds
 * devices repeatedly should leave out `id`, and use the id of the response.
 *
 * @throws {ApiError} `unknown_device`, or another refusal of the VMM.
 * @throws {DeadlineError} after `timeoutMs`; the guest may still release it.
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
