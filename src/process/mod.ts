/**
 * Starts a VMM process and owns it, or connects to a VMM that runs.
 *
 * In Deno, `spawnVmm` needs `--allow-run=<program>`, `--allow-env`,
 * `--allow-net`, and `--allow-read` and `--allow-write` of its directory or of
 * the directory of temporary files. docs/permissions.md of the repository lists
 * the exact permissions of each function.
 *
 * @module
 */
export {
  type ConnectedVmm,
  connectVmm,
  type ConnectVmmOptions,
} from "./connect.ts";
export type { EndRequest } from "../vmm/end_request.ts";
export type { VmEnd, VmEndCause } from "../vmm/vm_end.ts";
export type { VmmExit } from "../errors/errors.ts";
export { listVmms, type VmmListing } from "./list.ts";
export type { SpawnVmmOptions } from "./options.ts";
export type { VmmReference } from "./reference.ts";
export { spawnVmm } from "./spawn.ts";
export type { GroupVmm, GroupVmmOptions } from "./group_member.ts";
export { VmmGroupError, type VmmOutcome } from "./group_outcome.ts";
export {
  spawnVmms,
  type SpawnVmmsOptions,
  type VmmGroup,
} from "./spawn_vmms.ts";
export type { VmmProcess } from "./vmm_process.ts";
export type { StopOptions, StopResult, StopStep } from "./stop.ts";
