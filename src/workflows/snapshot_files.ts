/** The files of a snapshot. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { InvalidRequestError } from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { parse } from "../json/json.ts";

/** The names of all files of a snapshot. */
export const SNAPSHOT_FILES: readonly string[] = [
  "config.json",
  "state.json",
  "memory-ranges",
];

/** @throws {InvalidRequestError} `directory` when a file is not complete. */
export function assertComplete(directory: string): void {
  for (const name of SNAPSHOT_FILES) {
    const problem = problemOf(join(directory, name));
    if (problem === undefined) continue;
    throw new InvalidRequestError(
      "invalid_request",
      "directory",
      `the snapshot in "${directory}" is incomplete: ${name} ${problem}`,
    );
  }
}

/** The text of config.json in a complete snapshot. */
export function readSnapshotText(directory: string): string {
  return readFileSync(join(directory, "config.json"), "utf8");
}

/** The configuration that config.json has. */
export function toConfig(text: string): VmConfig {
  return parse(text) as VmConfig;
}

function problemOf(path: string): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      return "is missing";
    }
    return path.endsWith(".json") && !isJson(readFileSync(path, "utf8"))
      ? "is cut off"
      : undefined;
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
