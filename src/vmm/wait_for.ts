/** Waits for a state of the VMM or its VM. */
import type { Client } from "../client/create_client.ts";
import { ApiError } from "../errors/errors.ts";
import type { CallOptions } from "../contract/call_options.ts";
import type {
  VmInfo,
  VmmPingResponse,
  VmState,
} from "../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "./vmm.ts";
import { pollUntil } from "./poll.ts";

/**
 * Waits until the VMM answers, and resolves to its ping. A socket that is not
 * there yet, refuses or is overloaded counts as not yet; one that the script
 * may not use, or that something else answers on, as never.
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
    goal: "the VMM to answer",
    probe: (signal) => client.vmm.ping({ signal }),
    retryUnreachable: true,
  }, options);
}

/**
 * Waits until the VM is in a state, and resolves to its info then. A VMM that
 * has no VM yet counts as not yet; one whose VM was deleted as never.
 *
 * @throws {ApiError} `not_created` when the VM was deleted.
 * @throws {VmmExitedError} when the VMM ended.
 * @throws {DeadlineError} after `timeoutMs`.
 */
export function waitForState(
  vmm: Client | Vmm,
  state: VmState,
  options: WaitOptions = {},
): Promise<VmInfo> {
  const target = vmmOf(vmm, options.events);
  let seen = false;
  return pollUntil(target, {
    goal: `the VM to be ${state}`,
    async probe(signal) {
      try {
        const info = await target.client.vm.info({ signal });
        seen = true;
        return info.state === state ? info : undefined;
      } catch (error) {
        if (!seen && isNotCreated(error)) return undefined;
        throw error;
      }
    },
  }, options);
}

/**
 * Waits until a device that was removed is out of the VM: only then its id and
 * its slot are free. The guest decides when, or never; a VM that is shut down
 * has let go of it.
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
    goal: `device "${id}" to be gone`,
    async probe(signal) {
      const { device_tree = {} } = await target.client.vm.info({ signal });
      return Object.hasOwn(device_tree, id) ? undefined : true;
    },
  }, options);
}

/** Whether the VMM said that it has no VM. */
export function isNotCreated(error: unknown): boolean {
  return error instanceof ApiError && error.code === "not_created";
}

/** Whether the VMM said that it has a VM already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === "already_exists";
}

/** The VM's info, or undefined where the VMM has no VM. */
export async function infoOf(
  vm: Client["vm"],
  options?: CallOptions,
): Promise<VmInfo | undefined> {
  try {
    return await vm.info(options);
  } catch (error) {
    if (isNotCreated(error)) return undefined;
    throw error;
  }
}
