/** Prepares a snapshot for one more VM. */
import { resolve } from "node:path";
import { checkPath } from "../../arguments/path.ts";
import type { Client } from "../../client/create_client.ts";
import type { VmConfig, VmInfo } from "../../generated/types.gen.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { restoreVm, type RestoreVmOptions } from "../restore.ts";
import { assertComplete, readSnapshotText } from "../snapshot_files.ts";
import { createCloneDirectory, keptDisksIn } from "./clone_directory.ts";
import { applyEdit, type ConfigEdit, type EditOptions } from "./edit.ts";

/** A snapshot that is prepared for a clone. */
export interface PreparedSnapshot extends Disposable {
  /**
   * The absolute path, for `restoreVm` or the flag
   * `--restore source_url=file://…` of the VMM.
   */
  readonly directory: string;
  /** The configuration of the clone. */
  readonly config: VmConfig;
  /**
   * Restores the clone as `restoreVm` does, but with the memory restore mode
   * `OnDemand` if the VMM supports that mode. The result has the mode.
   */
  restore(
    vmm: Client | Vmm,
    options?: Omit<RestoreVmOptions, "config" | "unchecked" | "onCopy">,
  ): Promise<RestoredClone>;
  /** Removes the directory. A VM that was restored from it goes on. */
  remove(): void;
}

/** A clone that was restored. */
export interface RestoredClone {
  /** The info of the VM. */
  readonly info: VmInfo;
  /** The mode in which the VMM read the memory. */
  readonly memory_restore_mode: "Copy" | "OnDemand";
  /** The reason why the mode is not `OnDemand`, if that was tried. */
  readonly reason?: string;
}

/**
 * Creates a directory from which a VMM restores the VM of a snapshot with
 * another configuration. The snapshot stays as it is: the directory has a
 * config.json of its own, and links to the memory and the state, so the
 * directory takes no space. If the snapshot has copies of disks (see `disks` of
 * {@linkcode snapshotVm}), the directory has links to the copies, and `restore`
 * copies them to the paths that the edit gives to the disks, where there is no
 * file yet. `target` is created with mode 0700; it may be an
 * empty directory, and a directory that an earlier call has left is replaced.
 *
 * The edit may change what only the host sees: the paths of disks, sockets,
 * logs and taps, see {@linkcode ownPaths}. Everything that the guest sees is
 * the same in every clone, also its keys, machine id, random numbers and MAC
 * addresses: see docs/clones.md.
 *
 * @throws {InvalidRequestError} `directory` when the snapshot is incomplete,
 * `target` when the directory is in use, or the path of a change that no clone
 * can have, such as `disks[0].id`. Nothing is created then.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { fakeProgram } from "@chv/cloud-hypervisor/testing";
 * import {
 *   cloneSnapshot,
 *   ownPaths,
 *   snapshotVm,
 * } from "@chv/cloud-hypervisor/workflows";
 *
 * const program = fakeProgram({ files: "any" });
 * const config = { payload: { kernel: "/boot/vmlinux" } };
 * const source = await spawnVmm({ ...program, config });
 * const snapshot = `${source.directory}/snapshot`;
 * await snapshotVm(source, snapshot);
 *
 * const vmm = await spawnVmm(program);
 * const target = `${vmm.directory}/clone`;
 * const edit = ownPaths(vmm.directory);
 * const clone = await cloneSnapshot(snapshot, target, edit);
 * const { memory_restore_mode } = await clone.restore(vmm);
 * console.log(memory_restore_mode); // OnDemand
 * await Promise.all([source.kill(), vmm.kill()]);
 * ```
 */
export async function cloneSnapshot(
  directory: string,
  target: string,
  edit: ConfigEdit,
  options: EditOptions = {},
): Promise<PreparedSnapshot> {
  const source = resolve(checkPath("directory", directory));
  const path = resolve(checkPath("target", target));
  assertComplete(source);
  const config = await applyEdit(readSnapshotText(source), edit, options);
  const disks = keptDisksIn(source);
  const remove = createCloneDirectory(source, path, config, disks);
  return {
    directory: path,
    config,
    restore: (vmm, options) => restoreClone(vmm, path, options),
    remove,
    [Symbol.dispose]: remove,
  };
}

async function restoreClone(
  vmm: Client | Vmm,
  directory: string,
  options: RestoreVmOptions = {},
): Promise<RestoredClone> {
  const { memory_restore_mode: mode = "OnDemand" } = options;
  let reason: string | undefined;
  const info = await restoreVm(vmm, directory, {
    ...options,
    memory_restore_mode: mode,
    onCopy: (text) => reason = text,
  });
  return reason === undefined
    ? { info, memory_restore_mode: mode as "Copy" | "OnDemand" }
    : { info, memory_restore_mode: "Copy", reason };
}
