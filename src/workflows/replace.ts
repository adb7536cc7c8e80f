/** Replaces the VM of a VMM, or brings the old VM back. */
import type { Client } from "../client/create_client.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { VmConfig, VmInfo } from "../generated/types.gen.ts";
import { assertReplaceable } from "./landlock.ts";
import { rollBack } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { infoOf, isAlreadyExists } from "../vmm/vm_info.ts";
import { addBlockingSockets, socketsOf } from "../vmm/vm_sockets.ts";

/** Options of {@linkcode replaceConfig}. */
export interface ReplaceConfigOptions {
  /**
   * When this signal aborts, the workflow rejects with the signal's reason.
   * After the old VM was deleted, the old VM is brought back first.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes the VM, creates another one and boots it; resolves to its info. The
 * guest gets no warning: shut it down before, if it has unsaved data. When the
 * new configuration does not boot, the old one is created again, and booted if
 * it was booted; the call rejects with the error of the new one. A body that
 * the VMM cannot parse is refused before anything is deleted. Without a VM, the
 * call only creates and boots one. The VMM empties the files of consoles in
 * mode `File` when the new VM opens them.
 *
 * Landlock confines a VMM until the VMM ends. If one configuration sets
 * `landlock_enable` and the other names files outside of it, the call is refused
 * before anything is deleted; start another VMM.
 *
 * @throws {InvalidRequestError} for the same reasons as `vm.create`, and with
 * the field `config` if landlock forbids the change.
 * @throws {ApiError} if the VMM refuses a step.
 * @throws {RollbackError} when the old VM could not be brought back.
 */
export async function replaceConfig(
  vmm: Client | Vmm,
  config: VmConfig,
  { signal }: ReplaceConfigOptions = {},
): Promise<VmInfo> {
  const { client } = vmmOf(vmm);
  const { vm } = client;
  const options = signal && { signal };
  const old = await infoOf(vm, options);
  if (old) {
    assertReplaceable(old.config, config);
    await assertParsable(vm, config, options);
  }
  signal?.throwIfAborted();
  let isDeleted = false;
  try {
    // Without the signal: an abort would leave open whether the VM is deleted.
    if (old) await vm.delete();
    isDeleted = true;
    await vm.create(config, options);
    await vm.boot(options);
    return await vm.info(options);
  } catch (failure) {
    // Another program created this VM after the first look.
    if (!old && isAlreadyExists(failure)) throw failure;
    addBlockingSockets(failure, socketsOf(config));
    const remaining = "The old VM is gone";
    await rollBack({ failure, remaining, client }, async () => {
      if (isDeleted || await hasChanged(vm, old)) await bringBack(vm, old);
    });
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
 * Finds a body that the VMM cannot parse, while the old VM still runs: a VMM
 * parses the whole body before it refuses a second VM.
 */
async function assertParsable(
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
