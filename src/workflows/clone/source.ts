/** The directory from which a VMM restores: a snapshot, or a clone of it. */
import { tmpdir } from "node:os";
import type { VmConfig } from "../../generated/types.gen.ts";
import {
  removeRestoreDirectories,
  restoreDirectoryIn,
} from "../../vmm/restore_directory.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { readSnapshotText, toConfig } from "../snapshot_files.ts";
import { createCloneDirectory } from "./clone_directory.ts";
import { applyEdit, type ConfigEdit, type EditOptions } from "./edit.ts";

export interface RestoreSource {
  readonly directory: string;
  readonly config: VmConfig;
  /** Removes a directory that was created for one restore. */
  remove(): void;
}

/** Options of `restoreVm` that change the configuration of the VM. */
export interface RestoreEditOptions extends EditOptions {
  /**
   * Changes the configuration of the VM, such as {@linkcode ownPaths} does. The
   * snapshot stays as it is: the VMM restores from a private directory, which
   * is removed afterwards.
   */
  readonly config?: ConfigEdit | undefined;
}

/**
 * Prepares a private directory in `vmm.directory`, or in that of temporary
 * files, if there is an edit; else it is the snapshot itself.
 */
export async function prepareSource(
  vmm: Vmm,
  snapshot: string,
  { config: edit, ...options }: RestoreEditOptions,
  signal: AbortSignal | undefined,
): Promise<RestoreSource> {
  const text = readSnapshotText(snapshot);
  if (edit === undefined) {
    const remove = () => {};
    return { directory: snapshot, config: toConfig(text), remove };
  }
  const config = await applyEdit(text, edit, options);
  signal?.throwIfAborted();
  const { directory: home = tmpdir() } = vmm;
  removeRestoreDirectories(home);
  const directory = restoreDirectoryIn(home);
  const remove = createCloneDirectory(snapshot, directory, config);
  return { directory, config, remove };
}
