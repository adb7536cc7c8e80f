/** The command line of a VMM. */
import process from "node:process";
import { InvalidRequestError } from "../errors/errors.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { withParentDeathSignal } from "./parent_death.ts";
import type { VmmDirectory } from "./vmm_directory.ts";

/** The program and all of its arguments. */
export function commandLineOf(
  options: SpawnVmmOptions,
  { socketPath, eventsPath }: VmmDirectory,
): [program: string, ...args: string[]] {
  const { args = [], logFile, seccomp, parentDeathSignal } = options;
  const program = programOf(options.command);
  return [
    ...(parentDeathSignal ? withParentDeathSignal(program) : program),
    "--api-socket",
    socketArgument(socketPath),
    "--event-monitor",
    `path=${quoted(eventsPath)}`,
    ...logFile === undefined ? [] : ["--log-file", logFile],
    ...seccomp === undefined ? [] : ["--seccomp", String(seccomp)],
    ...args,
  ];
}

/** The argument by which the VMM of a socket is recognized. */
export function socketArgument(socketPath: string): string {
  return `path=${quoted(socketPath)}`;
}

function programOf(
  command: SpawnVmmOptions["command"],
): [program: string, ...args: string[]] {
  const words = command ?? (process.env["CLOUD_HYPERVISOR"] || DEFAULT);
  const [program, ...args] = typeof words === "string" ? [words] : words;
  if (program) return [program, ...args];
  throw new InvalidRequestError(
    "invalid_request",
    "command",
    "the list names no program",
  );
}

/** The VMM splits its arguments at commas, except within quotes. */
function quoted(path: string): string {
  return /[,[\]]/.test(path) ? `"${path}"` : path;
}

const DEFAULT = "cloud-hypervisor";
