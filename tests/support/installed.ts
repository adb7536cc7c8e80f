/** The programs of the host that a test uses. */
import { spawnSync } from "node:child_process";

/** Returns whether a program is in `PATH`. */
export function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** True where the fake can make a pseudoterminal. */
export const hasScript: boolean = isInstalled("script");

export const NO_SCRIPT: string = "script of util-linux is not installed";
