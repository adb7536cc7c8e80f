/**
 * Starts a VMM process and owns it, or connects to a VMM that runs.
 *
 * In Deno, `spawnVmm` needs `--allow-run=<program>` and more; see
 * docs/permissions.md.
 *
 * @module
 */
export {
  type ConnectedVmm,
  connectVmm,
  type ConnectVmmOptions,
} from "./connect.ts";
export type { VmmExit } from "../errors/errors.ts";
export type { SpawnVmmOptions } from "./options.ts";
export { spawnVmm } from "./spawn.ts";
export type { VmmProcess } from "./vmm_process.ts";
export type { StopOptions, StopResult, StopStep } from "./stop.ts";
