/** The Landlock sandbox that `vm.create` enters. */
import { readlinkSync } from "node:fs";
import type { Config } from "../../src/schema/config.ts";
import { osError, VmmError } from "./vmm_error.ts";

/** @throws {VmmError} if the sandbox of a configuration cannot be entered. */
export function applyLandlock(config: Config): void {
  if (!config.landlock_enable) return;
  for (const { path } of config.devices ?? []) {
    try {
      if (path !== undefined) readlinkSync(path);
    } catch (error) {
      throw failed("Error opening path", osError(error));
    }
  }
  for (const { access } of config.landlock_rules ?? []) {
    const other = /[^rw]/u.exec(access)?.[0];
    if (access === "") throw invalid("Access cannot be empty");
    if (other !== undefined) throw invalid(`Invalid access: ${other}`);
  }
}

function invalid(reason: string): VmmError {
  return failed(`Invalid Landlock access: ${reason}`);
}

function failed(...chain: string[]): VmmError {
  const first = "Failed to apply landlock config during vm_create";
  return new VmmError("failed", first, ...chain);
}
