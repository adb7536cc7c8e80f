/** Another size, once the guest is ready for it. */
import type { Client } from "../client/create_client.ts";
import type { VmInfo, VmResize } from "../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../vmm/vmm.ts";
import { pollUntil } from "../vmm/poll.ts";

/**
 * Resizes a VM, and resolves to its info when it has the vCPUs that were asked
 * for. While the guest still holds vCPUs that an earlier call took away, the
 * VMM refuses another number as `busy`: this waits that out, and then for its
 * own. What a guest does about memory and the balloon is up to it:
 * `memory_actual_size` tells.
 *
 * @throws {ApiError} as the VMM refuses it.
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
  let asked = false;
  return await pollUntil(target, {
    goal: "the VM to be resized",
    async probe(signal) {
      if (!asked) {
        await vm.resize(size, { signal });
        asked = true;
      }
      // The info gives the new number at once. To ask for it again does
      // nothing, and is refused as long as the guest has not followed.
      if (desired_vcpus != null) await vm.resize({ desired_vcpus }, { signal });
      return await vm.info({ signal });
    },
  }, options);
}
