/** A snapshot of a VM that goes on running. */
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Client } from "../client/create_client.ts";
import { ApiError, InvalidRequestError } from "../errors/errors.ts";
import { openEmptyDirectory } from "../vmm/private_directory.ts";
import { RollbackError } from "./rollback.ts";
import { type Vmm, vmmOf } from "../vmm/vmm.ts";

/** What {@linkcode snapshotVm} takes besides where to. */
export interface SnapshotVmOptions {
  /**
   * Called when the snapshot is there, while the VM is still paused, with the
   * directory: the time to copy its disks. When it fails, the snapshot is
   * removed, as if it had failed itself; what it wrote is its own.
   */
  readonly whilePaused?: ((directory: string) => unknown) | undefined;
  /**
   * Gives up with the signal's own reason. The VMM cannot be stopped in the
   * middle, so this waits for it, and resumes the VM.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a VM's state and memory into a directory: pauses it, takes the
 * snapshot and resumes it, also when the snapshot failed. A VM that was paused
 * stays so. Disks are not in it: what they hold has to be kept with it, as of
 * the time of the snapshot, which is what `whilePaused` is for.
 *
 * The directory is made, with mode 0700, or is there and empty. When the
 * snapshot fails, what it wrote is removed again.
 *
 * @throws {InvalidRequestError} `directory` when it is anything else; it is
 * left as it is, and the VM too.
 * @throws {ApiError} as the VMM refuses a step; `not_running` without a VM that
 * runs.
 * @throws {RollbackError} when the VM could not be resumed after a failure.
 */
export async function snapshotVm(
  vmm: Client | Vmm,
  directory: string,
  { signal, whilePaused }: SnapshotVmOptions = {},
): Promise<void> {
  const { client } = vmmOf(vmm);
  const { vm, socketPath } = client;
  signal?.throwIfAborted();
  const { state } = await vm.info(signal && { signal });
  const target = openEmptyDirectory(resolve(directory));
  try {
    if (state !== "Paused") await vm.pause(signal && { signal });
    await vm.snapshot(
      { destination_url: `file://${target.path}` },
      signal && { signal },
    );
    checkComplete(target.path);
    await whilePaused?.(target.path);
  } catch (failure) {
    if (state === "Running") {
      await resumed(client).catch((undo) => {
        const left = "the VM is paused";
        throw new RollbackError(failure, undo, left, { socketPath });
      }).finally(() => target.discard(FILES));
    } else target.discard(FILES);
    throw failure;
  }
  if (state === "Running") await resumed(client);
}

/** What a snapshot is made of. */
export const FILES: readonly string[] = [
  "config.json",
  "state.json",
  "memory-ranges",
];

/** @throws {InvalidRequestError} when a snapshot is not whole. */
export function checkComplete(directory: string): void {
  for (const name of FILES) {
    const path = join(directory, name);
    const problem = statSync(path, { throwIfNoEntry: false }) === undefined
      ? "is missing"
      : name.endsWith(".json") && !isJson(readFileSync(path, "utf8"))
      ? "is not whole"
      : undefined;
    if (problem === undefined) continue;
    throw new InvalidRequestError(
      "invalid_request",
      "directory",
      `the snapshot in "${directory}" is incomplete: ${name} ${problem}`,
    );
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Resumes a VM that may not have been paused at all. */
async function resumed({ vm }: Client): Promise<void> {
  try {
    await vm.resume();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { state } = await vm.info();
    if (state !== "Running") throw error;
  }
}
