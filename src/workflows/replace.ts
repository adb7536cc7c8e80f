/** Another configuration for the VM, or the old one back. */
import type { Client } from "../client/create_client.ts";
import type { CallOptions } from "../contract/call_options.ts";
import type { VmConfig, VmInfo } from "../generated/types.gen.ts";
import { RollbackError } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { infoOf, isAlreadyExists } from "../vmm/wait_for.ts";

/** What {@linkcode replaceConfig} takes besides the configuration. */
export interface ReplaceConfigOptions {
  /**
   * Gives up with the signal's own reason. Once the old VM is deleted, that
   * brings it back first.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes the VM, creates it anew and boots it; resolves to its info. The guest
 * is not asked: shut it down before, if it has something to lose. When the new
 * configuration does not boot, the old one is created again, and booted if it
 * was, and the reason is thrown. A body that the VMM cannot read is refused
 * before anything is deleted. Without a VM it creates and boots one.
 *
 * @throws {InvalidRequestError} as `vm.create`.
 * @throws {ApiError} as the VMM refuses a step.
 * @throws {RollbackError} when the old VM did not come back.
 */
export async function replaceConfig(
  vmm: Client | Vmm,
  config: VmConfig,
  { signal }: ReplaceConfigOptions = {},
): Promise<VmInfo> {
  const { vm, socketPath } = vmmOf(vmm).client;
  const options = signal && { signal };
  const old = await infoOf(vm, options);
  if (old) await tryOut(vm, config, options);
  signal?.throwIfAborted();
  let isDeleted = false;
  try {
    // Without the signal: nobody would know whether the VM is still there.
    if (old) await vm.delete();
    isDeleted = true;
    await vm.create(config, options);
    await vm.boot(options);
    return await vm.info(options);
  } catch (failure) {
    // One that came after the look is somebody else's.
    if (!old && isAlreadyExists(failure)) throw failure;
    try {
      if (isDeleted || await hasChanged(vm, old)) await bringBack(vm, old);
    } catch (undo) {
      const left = "the old VM is gone";
      throw new RollbackError(failure, undo, left, { socketPath });
    }
    throw failure;
  }
}

async function hasChanged(
  vm: Client["vm"],
  old: VmInfo | undefined,
): Promise<boolean> {
  return (await infoOf(vm))?.state !== old?.state;
}

async function bringBack(
  vm: Client["vm"],
  old: VmInfo | undefined,
): Promise<void> {
  await vm.delete();
  if (old) await vm.create(old.config);
  if (old && old.state !== "Created") await vm.boot();
}

/**
 * Finds what is wrong with a body while nothing is lost: a VMM reads the whole
 * of it before it says that there is a VM already.
 */
async function tryOut(
  vm: Client["vm"],
  config: VmConfig,
  options: CallOptions | undefined,
): Promise<void> {
  try {
    await vm.create(config, options);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
