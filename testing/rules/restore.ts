import type {
  RestoreConfig,
  VmMemoryZoneUpdateData,
} from "../../src/generated/types.gen.ts";
import type { Config } from "../config.ts";
import { invalid } from "../refusal.ts";
export function checkRestore(body: RestoreConfig, config: Config): void {
  if (body.prefault && body.memory_restore_mode === "OnDemand") {
    throw invalid(
      "'prefault' cannot be combined with 'memory_restore_mode=ondemand'",
    );
  }
  void config;
}
export function updateZones(
  updates: readonly VmMemoryZoneUpdateData[],
  config: Config,
): void {
  void updates, config;
}
