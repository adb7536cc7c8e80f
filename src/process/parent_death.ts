/** Ties a VMM to the life of the script's process. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { InvalidRequestError } from "../errors/errors.ts";

/** The command, started so that the kernel kills it with the script. */
export function withParentDeathSignal(
  command: readonly [string, ...string[]],
): [string, ...string[]] {
  if (process.getuid?.() !== 0) checkSetId(command[0]);
  return ["setpriv", "--pdeathsig", "KILL", "--", ...command];
}

/**
 * The kernel drops the signal when a program gets more rights than its user
 * has.
 *
 * @throws {InvalidRequestError} `parentDeathSignal` for such a program.
 */
export function checkSetId(program: string): void {
  const path = findProgram(program);
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & SET_ID) !== 0) throw refusal(`"${path}" is a set-id program`);
}

/**
 * Looks at the running program, since only `getcap` can look at its file.
 *
 * @throws {InvalidRequestError} `parentDeathSignal` when the program has file
 * capabilities.
 */
export function assertNoFileCapabilities(pid: number): void {
  if (process.getuid?.() === 0) return;
  const capabilities = capabilitiesOf(`${pid}`);
  const own = capabilitiesOf("self");
  if (capabilities === undefined || own === undefined) return;
  if ((capabilities & ~own) !== 0n) {
    throw refusal("the program has file capabilities");
  }
}

function capabilitiesOf(pid: string): bigint | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, hex] = /^CapPrm:\s*([\da-f]+)$/m.exec(status) ?? [];
    return hex === undefined ? undefined : BigInt(`0x${hex}`);
  } catch {
    // Deno allows this only to scripts with all permissions.
    return undefined;
  }
}

function findProgram(program: string): string {
  if (program.includes("/")) return program;
  const paths = (process.env["PATH"] ?? "").split(delimiter)
    .map((directory) => join(directory, program));
  return paths.find(isExecutable) ?? program;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function refusal(reason: string): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    "parentDeathSignal",
    `${reason}, and the kernel drops the signal for it; run the script as root, or without this option`,
  );
}

const SET_ID = 0o6000;
