/** The stand-in program, apart from the process that it runs in. */
import { fstatSync, openSync, writeFileSync } from "node:fs";
import { CommandLineError } from "../../src/command_line/command_line_error.ts";
import {
  type ParsedFlags,
  parseFlags,
} from "../../src/command_line/parse_flags.ts";
import { parseVmConfig } from "../../src/command_line/vm_config.ts";
import {
  parseSnapshot,
  parseVmmFlags,
  type PathOrDescriptor,
  type VmmFlags,
} from "../../src/command_line/vmm_flags.ts";
import { FakeVmm } from "../fake_vmm.ts";
import { osError } from "../machine/vmm_error.ts";
import { type FakeVmmOptions, StartError } from "../options.ts";
import type { Release } from "../release_type.ts";
import { configRefusal } from "./check_config.ts";
import { programOf } from "./program_of.ts";
import { chainOf, usageOf } from "./words.ts";

/** A program that ended before it had a VMM. */
export class ProgramExit extends Error {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    code: number,
    { stdout = "", stderr = "" }: { stdout?: string; stderr?: string },
  ) {
    super(`the program ends with ${code}`);
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** The options of the fake VMM that a command line cannot give. */
export type ProgramOptions = Omit<
  FakeVmmOptions,
  "release" | "socketPath" | "socketFd" | "eventFd" | "boot" | "restore"
>;

/** A program that is running. */
export interface RunningProgram {
  readonly vmm: FakeVmm;
  readonly flags: VmmFlags;
}

/**
 * Starts what a command line asks for.
 *
 * @throws {ProgramExit} with exit code and output, if the program ends at once.
 */
export async function startProgram(
  argv: readonly string[],
  release: Release,
  options: ProgramOptions,
): Promise<RunningProgram> {
  try {
    const parsed = parseFlags(argv, programOf(release));
    printAndEnd(parsed, release);
    const flags = parseVmmFlags(parsed);
    if (flags.logFile !== undefined) createLogFile(flags.logFile);
    const eventFd = flags.eventMonitor && openMonitor(flags.eventMonitor);
    const boot = parseVmConfig(parsed);
    const restore = boot === undefined ? parseSnapshot(parsed) : undefined;
    const refusal = boot &&
      configRefusal(release, boot, options.files ?? "real");
    if (refusal !== undefined) throw failed(refusal);
    const vmm = await start({
      ...options,
      release: release.name,
      ...socketOf(flags.apiSocket),
      ...eventFd !== undefined && { eventFd },
      ...boot && { boot },
      ...restore && { restore },
    });
    return { vmm, flags };
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    throw exitOf(error, release);
  }
}

function exitOf(error: CommandLineError, release: Release): ProgramExit {
  if (error.exitCode === 1) return failed(chainOf(error, release));
  if (error.exitCode === 2) return usage(`error: ${usageOf(error)}\n\n`);
  return new ProgramExit(error.exitCode, {
    stderr: "\nthread 'main' panicked:\ncalled `Option::unwrap()` on a " +
      "`None` value\n",
  });
}

function usage(first: string): ProgramExit {
  const stderr = `${first}Usage: cloud-hypervisor [OPTIONS]\n\n` +
    "For more information, try '--help'.\n";
  return new ProgramExit(2, { stderr });
}

/** A program that ends with a chain of errors, outermost first. */
export function failed(chain: readonly string[]): ProgramExit {
  const [only] = chain;
  const text = chain.length === 1
    ? `error:\n  ${only}\n`
    : `chain of errors:\n${
      chain.map((message, level) => `  ${level}: ${message}\n`).join("")
    }`;
  const stderr = `Error: Cloud Hypervisor exited with the following ${text}`;
  return new ProgramExit(1, { stderr });
}

const ABOUT = "Launch a cloud-hypervisor VMM.\n\n" +
  "Usage: cloud-hypervisor [OPTIONS]\n";

function printAndEnd(
  parsed: ParsedFlags,
  { buildVersion, features }: Release,
): void {
  if (parsed.help === "no_arguments") {
    throw new ProgramExit(2, { stderr: ABOUT });
  }
  if (parsed.help === "asked") throw new ProgramExit(0, { stdout: ABOUT });
  if (!parsed.values.has("--version")) return;
  const names = features.map((name) => JSON.stringify(name)).join(", ");
  const more = parsed.verbosity > 0 ? `Enabled features: [${names}]\n` : "";
  const stdout = `cloud-hypervisor ${buildVersion}\n` +
    `Migration Protocol Versions: 0\n${more}`;
  throw new ProgramExit(0, { stdout });
}

function createLogFile(path: string): void {
  try {
    writeFileSync(path, "");
  } catch (error) {
    throw failed(["Error creating log file", osError(error)]);
  }
}

function openMonitor(monitor: PathOrDescriptor): number {
  try {
    if ("path" in monitor) return openSync(monitor.path, "w", 0o600);
    fstatSync(monitor.fd);
    return monitor.fd;
  } catch (error) {
    throw failed(["Error doing event monitor I/O", osError(error)]);
  }
}

function socketOf(address: PathOrDescriptor | undefined): FakeVmmOptions {
  if (address === undefined) return {};
  return "fd" in address
    ? { socketFd: address.fd }
    : { socketPath: address.path };
}

async function start(options: FakeVmmOptions): Promise<FakeVmm> {
  try {
    return await FakeVmm.start(options);
  } catch (error) {
    if (error instanceof StartError) throw failed(error.chain);
    // The socket or its lock file could not be created.
    if (typeof (error as { code?: unknown }).code !== "string") throw error;
    throw failed([
      "Failed to start the VMM thread",
      "Error creation API server's socket",
      osError(error),
    ]);
  }
}
