/**
 * Workflows: operations of several steps that are easy to get wrong. Each takes
 * a client or a handle of `./process`, and uses the events of the handle.
 * `ensureVm`, `snapshotVm`, `restoreVm`, `replaceConfig` and `migrateVm` roll
 * back if a step fails.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { snapshotVm } from "@chv/cloud-hypervisor/workflows";
 *
 * await snapshotVm(createClient("/run/vm0/api.sock"), "/var/backup/vm0");
 * ```
 *
 * @module
 */
export type { VmmExit } from "../errors/errors.ts";
export type { EndRequest } from "../vmm/end_request.ts";
export type { VmEnd, VmEndCause } from "../vmm/vm_end.ts";
export { waitForEnd } from "../vmm/wait_for_end.ts";
export type { EventMatching, EventPattern } from "../vmm/event_pattern.ts";
export {
  waitForEvent,
  type WaitForEventOptions,
} from "../vmm/wait_for_event.ts";
export { arrivedVm } from "./migration/arrived.ts";
export {
  cloneSnapshot,
  type PreparedSnapshot,
  type RestoredClone,
} from "./clone/clone_snapshot.ts";
export type { ConfigEdit, EditOptions } from "./clone/edit.ts";
export { ownPaths, type OwnPathsOptions } from "./clone/own_paths.ts";
export type { RestoreEditOptions } from "./clone/source.ts";
export { migrateVm } from "./migration/migrate.ts";
export type { MigrateVmOptions } from "./migration/options.ts";
export type { MigrationProgress } from "./migration/phase.ts";
export type { SendOutcome } from "./migration/outcome.ts";
export { receiveVm, type ReceiveVmOptions } from "./migration/receive.ts";
export { sendVm, type SendVmOptions } from "./migration/send.ts";
export { MigrationError, type MigrationSideState } from "./migration/error.ts";
export {
  ensureVm,
  type EnsureVmOptions,
  type EnsureVmResult,
} from "./ensure.ts";
export { removeDeviceAndWait } from "./remove.ts";
export { replaceConfig, type ReplaceConfigOptions } from "./replace.ts";
export { resizeAndWait } from "./resize.ts";
export { restoreVm, type RestoreVmOptions } from "./restore.ts";
export {
  snapshotVm,
  type SnapshotVmOptions,
  type SnapshotVmResult,
} from "./snapshot.ts";
export { RollbackError } from "./rollback.ts";
export type { EventReader } from "../events/event.ts";
export type { Vmm, WaitOptions } from "../vmm/vmm.ts";
export {
  waitForDeviceRemoved,
  waitForState,
  waitForVmm,
} from "../vmm/wait_for.ts";
