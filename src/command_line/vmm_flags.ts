/** The flags that concern the process, not its VM. */
import type { RestoreConfig } from "../generated/types.gen.ts";
import { CommandLineError } from "./command_line_error.ts";
import { given } from "./given.ts";
import { checkLogFormat } from "./log_format.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue, ParsedFlags } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { parseRestore } from "./restore.ts";
import { i32 } from "./values.ts";

/** A file or a socket: its path, or an open descriptor. */
export type PathOrDescriptor = {
  /** The path. */
  readonly path: string;
} | {
  /** The number of the descriptor in the VMM process. */
  readonly fd: number;
};

/** The flags of a command line that concern the process. */
export interface VmmFlags {
  /** `--api-socket`. Default: the VMM has no API. */
  readonly apiSocket?: PathOrDescriptor;
  /** `--event-monitor`. Default: events are not written. */
  readonly eventMonitor?: PathOrDescriptor;
  /** `--gdb path=`: the socket of the GDB stub. Default: there is no stub. */
  readonly gdbSocket?: string;
  /**
   * `--landlock`: confines the VMM process. `landlock_enable` in the
   * configuration, which confines the VM, is then set, too.
   */
  readonly landlock: boolean;
  /** `--log-file`. Default: the log goes to stderr. */
  readonly logFile?: string;
  /** `--log-format`: a text with tokens such as `{msg}`. */
  readonly logFormat?: string;
  /** `--no-shutdown`: the VMM stays when its guest shuts down. */
  readonly noShutdown: boolean;
  /** `--help` or `--version`: the program prints it, and ends. */
  readonly prints?: "help" | "version";
  /**
   * `--restore`: the snapshot to start from. The program ignores the flag
   * beside `--kernel`, `--firmware` or `--igvm`, and so the member is absent
   * there.
   */
  readonly restore?: RestoreConfig;
  /** `--seccomp`: the answer to a system call that the VMM does not expect. */
  readonly seccomp: "true" | "false" | "log" | "errno";
  /** The number of `-v`: 0 logs warnings, 1 info, 2 debug, 3 all. */
  readonly verbosity: number;
}

/** @throws {CommandLineError} if the value of a flag is wrong. */
export function parseVmmFlags(parsed: ParsedFlags): VmmFlags {
  const { values, verbosity } = parsed;
  const one = <T>(flag: string, parse: (value: FlagValue) => T) => {
    const value = values.get(flag)?.[0];
    return value && parse(value);
  };
  return given({
    apiSocket: one("--api-socket", parseApiSocket),
    logFile: one("--log-file", ({ text }) => text),
    logFormat: one("--log-format", checkLogFormat),
    gdbSocket: one("--gdb", parseGdb),
    eventMonitor: one("--event-monitor", parseEventMonitor),
    landlock: values.has("--landlock"),
    noShutdown: values.has("--no-shutdown"),
    prints: printed(parsed),
    seccomp: (values.get("--seccomp")?.[0]?.text ?? "true") as VmmFlags[
      "seccomp"
    ],
    verbosity,
  });
}

function printed({ values, help }: ParsedFlags): VmmFlags["prints"] {
  if (help !== undefined) return "help";
  return values.has("--version") ? "version" : undefined;
}

/** The snapshot of `--restore`, unless the command line has a payload. */
export function parseSnapshot(
  { values }: ParsedFlags,
): RestoreConfig | undefined {
  const value = values.get("--restore")?.[0];
  return value && parseRestore(value);
}

const monitorOptions = { path: text, fd: i32 } as const;

/** A text that is no list of options is a path. */
function parseApiSocket(value: FlagValue): PathOrDescriptor {
  const options = { path: text, fd: text };
  let list: OptionList;
  try {
    list = new OptionList(value, options);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    return { path: value.text };
  }
  const { path, fd } = list.read(options);
  if (fd === undefined) return { path: path ?? value.text };
  const descriptor = i32(fd, value.program);
  if (descriptor !== undefined) return { fd: descriptor };
  throw list.fault("invalid_value", "fd", fd, "is no descriptor");
}

function parseEventMonitor(value: FlagValue): PathOrDescriptor {
  const list = new OptionList(value, monitorOptions);
  const { path, fd } = list.read(monitorOptions);
  if (list.has("fd")) return { fd: list.require("fd", fd, 101) };
  // The program panics at `path=`, and reports that there is no path at all.
  return { path: list.require("path", path, list.has("path") ? 101 : 1) };
}

function parseGdb(value: FlagValue): string {
  const options = { path: text };
  const list = new OptionList(value, options);
  const { path } = list.read(options);
  return list.require("path", path, list.has("path") ? 101 : 1);
}
