/** Resizes a VM, once the guest is ready. */
import type { Client } from "../client/create_client.ts";
import type { VmInfo, VmResize } from "../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../vmm/vmm.ts";
import { pollUntil } from "../vmm/poll.ts";

/**
 * Resizes a VM, and resolves to its info when it has the vCPUs that were asked
 * for. While the guest still uses vCPUs that an earlier call removed, the VMM
 * refuses another number as `busy`: this waits for the guest, and then for its
 * own vCPUs. It does not wait for memory or the balloon.
 *
 * @throws {ApiError} as the VMM refuses the size.
 * @throws {DeadlineError} after `timeoutMs`; the guest may follow later.
 * @throws {VmmExitedError} when the VMM ended.
 */
export async function resizeAndWait(
  vmm: Client | Vmm,
  size: VmResize,
  options: WaitOptions = {},
): Promise<VmInfo> {
  const target = vmmOf(vmm, options.events);
  const { vm } = target.client;
  const { desired_vcpus } = size;
  let isSent = false;
  return await pollUntil(target, {
    goal: {
      subject: "VM",
      unmet: "is not resized",
      advice: () => "the guest still uses vCPUs that were removed",
      operation: "vm.resize",
    },
    async probe(signal) {
      if (!isSent) {
        await vm.resize(size, { signal });
        isSent = true;
      }
      // vm.info gives the new number at once. The same request again does
      // nothing, and is refused until the guest has released the vCPUs.
      if (desired_vcpus != null) await vm.resize({ desired_vcpus }, { signal });
      return await vm.info({ signal });
    },
  }, options);
}
