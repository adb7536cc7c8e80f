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
} from "./connect.ts";
export type { VmmExit } from "../errors/errors.ts";
export type { SpawnVmmOptions } from "./options.ts";
export { spawnVmm, type VmmProcess } from "./spawn.ts";
export type { StopOptions, StopResult, StopStep } from "./stop.ts";
