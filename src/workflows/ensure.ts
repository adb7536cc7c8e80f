/** Creates and boots a VM, unless it runs already. */
import type { Client } from "../client/create_client.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { VmConfig, VmInfo } from "../generated/types.gen.ts";
import { stringify } from "../json/json.ts";
import { pollUntil } from "../vmm/poll.ts";
import { infoOf, isAlreadyExists, isNotCreated } from "../vmm/vm_info.ts";
import { addBlockingSockets, socketsOf } from "../vmm/vm_sockets.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";
import { identifyVmm } from "../vmm/vmm_identity.ts";
import { notePathOf, takeNote } from "../vmm/workflow_note.ts";
import { type ConfigDifference, differencesOf } from "./config_difference.ts";
import { finishKilledSnapshot, type SnapshotTask } from "./pause.ts";
import { rollBack } from "./rollback.ts";

/** Options of {@linkcode ensureVm}. */
export interface EnsureVmOptions {
  /**
   * When this signal aborts, the workflow rejects with the signal's reason, and
   * deletes a VM that it created.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The result of {@linkcode ensureVm}. */
export interface EnsureVmResult {
  /**
   * `created` if the VMM had no VM, `recreated` if it had a VM that was not
   * booted, and `found` if the VM was booted already.
   */
  readonly outcome: "created" | "recreated" | "found";
  /** The VM. */
  readonly info: VmInfo;
}

/**
 * Creates a VM and boots it, unless the VMM has the VM already. The call can be
 * repeated: after a script that was killed, or by two scripts at once, of which
 * the second waits for the first.
 *
 * A VM that is not booted is deleted and created anew, since `vm.boot` after a
 * boot that failed may boot it without its disks. This includes a VM that was
 * shut down by `vm.shutdown`. A VM that is booted is compared with `config`, in
 * the fields that `config` has; the call never changes a booted VM. A paused VM
 * stays paused, unless a `snapshotVm` paused it whose script was killed.
 *
 * When the call fails or is aborted, a VM that it created is deleted. A file
 * `<socket>.workflow` keeps other scripts out during the call.
 *
 * @throws {InvalidRequestError} when the booted VM differs from `config`:
 * `field` is the first field that differs, and the message has all of them. Use
 * `replaceConfig` to replace the VM. Otherwise for the same reasons as
 * `vm.create`.
 * @throws {ApiError} if the VMM refuses a step.
 * @throws {VmmExitedError} when the VMM ended, such as after a guest that
 * powered off at once.
 * @throws {RollbackError} when a VM that was created could not be deleted.
 */
export async function ensureVm(
  vmm: Client | Vmm,
  config: VmConfig,
  { signal }: EnsureVmOptions = {},
): Promise<EnsureVmResult> {
  const target = vmmOf(vmm);
  const { client } = target;
  signal?.throwIfAborted();
  const call = signal && { signal };
  const identity = await identifyVmm(client, call);
  const places = [notePathOf(client.socketPath)];
  const note = await takeNote<SnapshotTask>(places, signal);
  try {
    await finishKilledSnapshot(target, identity, note, call);
    const info = await infoOf(client.vm, call);
    const result: EnsureVmResult = info && isBooted(info)
      ? { outcome: "found", info }
      : await createAndBoot(target, config, !info, call);
    if (result.outcome === "found") {
      await assertSame(client, config, result.info, call);
    }
    return result;
  } finally {
    note.close();
  }
}

async function createAndBoot(
  vmm: Vmm,
  config: VmConfig,
  isEmpty: boolean,
  call: CallOptions | undefined,
): Promise<EnsureVmResult> {
  const { client } = vmm;
  const { vm } = client;
  let isOwn = isEmpty;
  let outcome: EnsureVmResult["outcome"] = "created";
  try {
    try {
      await vm.create(config, call);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // The VMM has read the configuration, which is not to be lost for a body
      // that cannot be parsed.
      const info = await infoOf(vm, call);
      if (info && isBooted(info)) return { outcome: "found", info };
      outcome = "recreated";
      // Without the signal: an abort would leave open whether it is deleted.
      await vm.delete();
      isOwn = true;
      await vm.create(config, call);
    }
    await vm.boot(call);
    return { outcome, info: await readInfo(vmm, call) };
  } catch (failure) {
    // Another program creates and boots a VM at the same time.
    if (isAlreadyExists(failure) || isNotCreated(failure)) {
      return { outcome: "found", info: await waitForBoot(vmm, call) };
    }
    if (!isOwn || failure instanceof InvalidRequestError) throw failure;
    addBlockingSockets(failure, socketsOf(config));
    const remaining = "The VM is left half-built: delete it before a boot";
    await rollBack({ failure, remaining, client }, () => vm.delete());
    throw failure;
  }
}

/** The info of a VM whose guest may have powered off by now. */
function readInfo(
  vmm: Vmm,
  { signal }: CallOptions = {},
): Promise<VmInfo> {
  const { vm } = vmm.client;
  return pollUntil({ client: vmm.client, exited: vmm.exited }, {
    goal: { subject: "VM", unmet: "does not answer" },
    probe: (signal) => vm.info({ signal }),
  }, { signal });
}

/**
 * Waits until the VM of another program is booted; rejects when that program
 * has deleted the VM.
 */
function waitForBoot(
  vmm: Vmm,
  { signal }: CallOptions = {},
): Promise<VmInfo> {
  const { vm } = vmm.client;
  return pollUntil(vmm, {
    goal: { subject: "VM", unmet: "is not booted" },
    async probe(signal) {
      const info = await vm.info({ signal });
      return isBooted(info) ? info : undefined;
    },
  }, { signal });
}

/** `Created` also stands for a VM that was shut down, or is half-built. */
function isBooted({ state }: VmInfo): boolean {
  return state !== "Created" && state !== "Shutdown";
}

async function assertSame(
  client: Client,
  config: VmConfig,
  info: VmInfo,
  call: CallOptions | undefined,
): Promise<void> {
  if (differencesOf(config, info.config).length === 0) return;
  // An older release ignores some fields, so that they differ.
  const release = await client.release(call);
  const differences = differencesOf(config, info.config, release);
  const [first] = differences;
  if (first === undefined) return;
  const all = differences.map(textOf).join(", ");
  throw new InvalidRequestError(
    "invalid_request",
    first.path,
    `the VM that runs has another configuration: ${all}; replaceConfig replaces the VM`,
  );
}

function textOf({ path, wanted, actual }: ConfigDifference): string {
  return `${path} is ${stringify(actual) ?? "not set"}, not ${
    stringify(wanted) ?? "left out"
  }`;
}
