/** The arguments that start the stand-in program. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type FakeProgramOptions,
  toEnvironment,
} from "./program_environment.ts";

/** Options for `spawnVmm` that start the stand-in program. */
export interface FakeProgram {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Environment variables from which the program reads its options. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program to start as the VMM; made by {@linkcode fakeUnlessInstalled}. */
export interface ChosenProgram extends FakeProgram {
  /** The program's version and path, or `the fake` and the reason. */
  readonly name: string;
}

/**
 * Options for `spawnVmm` that start the fake VMM instead of the real one.
 *
 * @throws {Error} when {@linkcode fakeCommand} does.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { fakeProgram } from "@chv/cloud-hypervisor/testing";
 *
 * const guest = { powersOffAfterMs: 10 };
 * const vmm = await spawnVmm({
 *   ...fakeProgram({ files: "any", guest }),
 *   config: { payload: { kernel: "/boot/vmlinux" } },
 * });
 * const { step } = await vmm.stop();
 * console.log(step); // power-button
 * ```
 */
export function fakeProgram(options: FakeProgramOptions = {}): FakeProgram {
  return { command: fakeCommand(), env: toEnvironment(options) };
}

/**
 * Chooses the program for `spawnVmm`: the one that `CLOUD_HYPERVISOR` names,
 * else `cloud-hypervisor` from `PATH` where /dev/kvm can be opened, else the
 * fake VMM. The options apply to the fake only.
 *
 * @throws {Error} when the fake is chosen and {@linkcode fakeCommand} throws.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
 *
 * const program = fakeUnlessInstalled({ files: "any" });
 * console.log(`VMM: ${program.name}`); // VMM: the fake (no cloud-hypervisor …)
 * const vmm = await spawnVmm({ ...program });
 * await vmm.stop();
 * ```
 */
export function fakeUnlessInstalled(
  options: FakeProgramOptions = {},
): ChosenProgram {
  const given = process.env["CLOUD_HYPERVISOR"];
  const installed = given || findInPath("cloud-hypervisor");
  if (installed && (given || isAllowed("/dev/kvm", READ_WRITE))) {
    return { name: versionOf(installed), command: [installed], env: {} };
  }
  const reason = installed === undefined
    ? "no cloud-hypervisor in CLOUD_HYPERVISOR or PATH"
    : "/dev/kvm cannot be opened";
  return { name: `the fake (${reason})`, ...fakeProgram(options) };
}

/**
 * The arguments that run the stand-in program with the current runtime. Append
 * the flags of cloud-hypervisor.
 *
 * @throws {Error} in a script that was compiled to one file, because the
 * program's own file is missing there.
 */
export function fakeCommand(): string[] {
  // Installed from npm, the files are JavaScript.
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const url = new URL(`./cloud-hypervisor.${extension}`, import.meta.url);
  const program = url.protocol === "file:" ? fileURLToPath(url) : url.href;
  if (url.protocol === "file:" && !existsSync(program)) {
    throw new Error(
      `the fake's program is not at ${program}: a compiled script cannot ` +
        "start it; set CLOUD_HYPERVISOR to a real VMM",
    );
  }
  const runtime = process.execPath;
  if (process.versions["deno"] !== undefined) {
    return [runtime, "run", "--quiet", "--allow-all", program];
  }
  return [runtime, program];
}

const READ_WRITE = constants.R_OK | constants.W_OK;

function findInPath(program: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter)
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, program))
    .find((path) => isAllowed(path, constants.X_OK));
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** The first line of the program's `--version`, with its path. */
function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const [line] = (stdout ?? "").split("\n");
  return line ? `${line} (${program})` : program;
}
