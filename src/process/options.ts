/** How a VMM is started. */
import process from "node:process";
import type { CreateClientOptions } from "../client/create_client.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import type { VmmDirectory } from "./vmm_directory.ts";

/** What `spawnVmm` takes. */
export interface SpawnVmmOptions {
  /**
   * The program: a path, a name to find in `PATH`, or an argument list that
   * the VMM's own arguments follow.
   *
   * Default: the environment's `CLOUD_HYPERVISOR`, else `cloud-hypervisor`.
   */
  readonly command?: string | readonly string[];
  /**
   * Where its socket, lock, events and stderr are put; made with mode 0700 if
   * it is missing. Its path must leave room for a socket's 107 bytes. Only
   * these files are removed at the end, and the directory if it was made and
   * is empty.
   *
   * Default: a private temporary directory, removed with all that is in it.
   */
  readonly directory?: string;
  /** More flags, after those that this sets. */
  readonly args?: readonly string[];
  /** Variables that are added to the script's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the VMM writes its log. Default: to stderr, whose end is kept. */
  readonly logFile?: string;
  /**
   * Whether the kernel ends the VMM at a system call that it does not expect,
   * or only logs it.
   *
   * Default: `true`.
   */
  readonly seccomp?: boolean | "log";
  /**
   * Confines the VMM to the files that it needs, and the VM of `config` too;
   * more are named in `landlock_rules` there.
   *
   * Default: `false`.
   */
  readonly landlock?: boolean;
  /**
   * A VM to create and boot. A VMM whose VM does not boot is ended. A guest
   * that powers off soon may have ended its VMM before the next call.
   */
  readonly config?: VmConfig;
  /**
   * Open descriptors that the VMM inherits, as 3, 4 and so on in their order,
   * for `--net fd=3` or a listening socket. They stay the script's to close.
   */
  readonly fds?: readonly number[];
  /**
   * Where its stdout goes, which is where a console in mode `Tty` writes.
   *
   * Default: `"ignore"`.
   */
  readonly stdout?: "ignore" | "inherit";
  /**
   * Milliseconds until it has to answer.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number;
  /** Ends the start, with the signal's own reason. A VMM that is up stays. */
  readonly signal?: AbortSignal;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP end the VMM before they end the script.
   * A script with listeners of its own is not ended.
   *
   * Default: `true`.
   */
  readonly handleSignals?: boolean;
  /**
   * The time in milliseconds that `stop()` has when the handle is disposed of.
   *
   * Default: `30_000`.
   */
  readonly stopTimeoutMs?: number;
  /** For the handle's client. */
  readonly client?: CreateClientOptions;
}

/** The program and all of its arguments. */
export function commandLineOf(
  options: SpawnVmmOptions,
  place: VmmDirectory,
): [program: string, ...args: string[]] {
  const { args = [], logFile, seccomp, landlock } = options;
  return [
    ...commandOf(options.command),
    "--api-socket",
    `path=${quoted(place.socketPath)}`,
    "--event-monitor",
    `path=${quoted(place.eventsPath)}`,
    ...logFile === undefined ? [] : ["--log-file", logFile],
    ...seccomp === undefined ? [] : ["--seccomp", String(seccomp)],
    ...landlock ? ["--landlock"] : [],
    ...args,
  ];
}

/** The VM to boot, confined as the VMM. */
export function configOf(
  { config, landlock }: SpawnVmmOptions,
): VmConfig | undefined {
  return config && landlock ? { ...config, landlock_enable: true } : config;
}

function commandOf(
  command: SpawnVmmOptions["command"],
): [program: string, ...args: string[]] {
  const given = command ?? (process.env["CLOUD_HYPERVISOR"] || DEFAULT);
  const [program, ...args] = typeof given === "string" ? [given] : given;
  if (program) return [program, ...args];
  throw new InvalidRequestError(
    "invalid_request",
    "command",
    "it names no program",
  );
}

/** The VMM splits its arguments at commas, except within quotes. */
function quoted(path: string): string {
  return /[,[\]"]/.test(path) ? `"${path}"` : path;
}

const DEFAULT = "cloud-hypervisor";
