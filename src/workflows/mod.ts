/**
 * The sequences that scripts get wrong, each taking a client or a VMM from
 * `./process`, whose events they use.
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
export type { VmmExit } from "../errors.ts";
export {
  type EventPattern,
  type Matching,
  waitForEvent,
  type WaitForEventOptions,
} from "./event.ts";
export {
  migrateVm,
  type MigrateVmOptions,
  type MigrationProgress,
} from "./migrate.ts";
export { MigrationError, type SideState } from "./migration.ts";
export { removeDeviceAndWait } from "./remove.ts";
export { replaceConfig, type ReplaceConfigOptions } from "./replace.ts";
export { resizeAndWait } from "./resize.ts";
export { restoreVm, type RestoreVmOptions } from "./restore.ts";
export { snapshotVm, type SnapshotVmOptions } from "./snapshot.ts";
export { UndoError } from "./undo.ts";
export type { EventSource, Vmm, WaitOptions } from "./vmm.ts";
export { waitForDeviceRemoved, waitForState, waitForVmm } from "./wait.ts";
