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
export type { VmmExit } from "../errors/errors.ts";
export {
  type EventMatching,
  type EventPattern,
  waitForEvent,
  type WaitForEventOptions,
} from "../vmm/wait_for_event.ts";
export {
  migrateVm,
  type MigrateVmOptions,
  type MigrationProgress,
} from "./migration/migrate.ts";
export { MigrationError, type MigrationSideState } from "./migration/error.ts";
export { removeDeviceAndWait } from "./remove.ts";
export { replaceConfig, type ReplaceConfigOptions } from "./replace.ts";
export { resizeAndWait } from "./resize.ts";
export { restoreVm, type RestoreVmOptions } from "./restore.ts";
export { snapshotVm, type SnapshotVmOptions } from "./snapshot.ts";
export { RollbackError } from "./rollback.ts";
export type { EventReader, Vmm, WaitOptions } from "../vmm/vmm.ts";
export {
  waitForDeviceRemoved,
  waitForState,
  waitForVmm,
} from "../vmm/wait_for.ts";
