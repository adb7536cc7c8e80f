/**
 * Owning a VMM process, or taking over one that runs.
 *
 * In Deno `spawnVmm` needs `--allow-run=<program>`, and what the README lists.
 *
 * @module
 */
export {
  type ConnectedVmm,
  connectVmm,
  type ConnectVmmOptions,
} from "./process/connect.ts";
export type { VmmExit } from "./errors.ts";
export type { SpawnVmmOptions } from "./process/options.ts";
export { spawnVmm, type VmmProcess } from "./process/spawn.ts";
export type { StopOptions, StopResult, StopStep } from "./process/stop.ts";
