/** Waits for a state of a VMM or of its VM. */
import type { Client } from "../client/create_client.ts";
import type {
  VmInfo,
  VmmPingResponse,
  VmState,
} from "../generated/types.gen.ts";
import { isNotCreated } from "./vm_info.ts";
import { type Vmm, vmmOf, type WaitOptions } from "./vmm.ts";
import { pollUntil } from "./poll.ts";

/**
 * Waits until the VMM answers, and resolves to its ping. The wait goes on while
 * the socket is missing, refuses connections or is overloaded. It rejects at
 * once when the script may not use the socket, or when another program answers.
 *
 * @throws {ConnectionError} `permission_denied`, `runtime_permission` or
 * `not_http`.
 * @throws {VmmExitedError} when the process of a handle ended.
 * @throws {DeadlineError} after `timeoutMs`.
 */
export function waitForVmm(
  vmm: Client | Vmm,
  options: WaitOptions = {},
): Promise<VmmPingResponse> {
  const { client, exited } = vmmOf(vmm);
  return pollUntil({ client, exited }, {
    goal: { subject: "VMM", unmet: "does not answer" },
    probe: (signal) => client.vmm.ping({ signal }),
    retryUnreachable: true,
  }, options);
}

/**
 * Waits until the VM is in a state, and resolves to its `vm.info` in that
 * state. The wait goes on while the VMM has no VM. It rejects at once when the
 * VM was deleted during the wait.
 *
 * @throws {ApiError} `not_created` when the VM was deleted.
 * @throws {VmmExitedError} when the VMM ended.
 * @throws {DeadlineError} after `timeoutMs`, with the last state.
 */
export function waitForState(
  vmm: Client | Vmm,
  state: VmState,
  options: WaitOptions = {},
): Promise<VmInfo> {
  const target = vmmOf(vmm, options.events);
  let lastState: VmState | undefined;
  return pollUntil(target, {
    goal: {
      subject: "VM",
      unmet: `is not ${state}`,
      lastSeen: () => lastState,
    },
    async probe(signal) {
      try {
        const info = await target.client.vm.info({ signal });
        lastState = info.state;
        return info.state === state ? info : undefined;
      } catch (error) {
        if (isNotCreated(error) && lastState === undefined) return undefined;
        throw error;
      }
    },
  }, options);
}

/**
 * Waits until a device that was removed is out of the VM. Until then its id and
 * its PCI slot are taken. The guest decides when it releases the device; a
 * guest without a driver never does. After a shutdown the VM has no devices.
 *
 * @throws {ApiError} `not_created` when the VM was deleted.
 * @throws {VmmExitedError} when the VMM ended.
 * @throws {DeadlineError} after `timeoutMs`.
 */
export async function waitForDeviceRemoved(
  vmm: Client | Vmm,
  id: string,
  options: WaitOptions = {},
): Promise<void> {
  const target = vmmOf(vmm, options.events);
  await pollUntil(target, {
    goal: {
      subject: "VM",
      unmet: `still has device ${JSON.stringify(id)}`,
      advice: () => "the guest did not release it; is a driver loaded?",
      operation: "vm.remove-device",
    },
    async probe(signal) {
      const { device_tree = {} } = await target.client.vm.info({ signal });
      return Object.hasOwn(device_tree, id) ? undefined : true;
    },
  }, options);
}
