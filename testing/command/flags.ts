/** The flags of the program, as far as a VMM without a guest has a use. */

/** What the program is asked for. */
export interface Flags {
  readonly version: boolean;
  readonly help: boolean;
  /** How often `-v` stands there. */
  readonly verbose: number;
  /** Values by flag, in their order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** A command line that is not understood. */
export class UsageError extends Error {}

/** Flags that take no value. */
const switches: readonly string[] = [
  "--no-shutdown",
  "--pvpanic",
  "--watchdog",
  "--rtc",
  "--landlock",
];

/** Flags that take values up to the next flag. */
const lists: readonly string[] = [
  "--device",
  "--disk",
  "--fs",
  "--generic-vhost-user",
  "--memory-zone",
  "--net",
  "--numa",
  "--pci-segment",
  "--pmem",
  "--rate-limit-group",
  "--user-device",
  "--vdpa",
];

/** Flags that take one value. */
const singles: readonly string[] = [
  "--api-socket",
  "--balloon",
  "--cmdline",
  "--console",
  "--cpus",
  "--debug-console",
  "--event-monitor",
  "--firmware",
  "--gdb",
  "--initramfs",
  "--kernel",
  "--log-file",
  "--log-format",
  "--memory",
  "--platform",
  "--restore",
  "--rng",
  "--seccomp",
  "--serial",
  "--tpm",
  "--vsock",
];

/** Flags that may not stand beside others. */
const exclusive: readonly (readonly [string, string])[] = [
  ["--kernel", "--restore"],
  ["--firmware", "--restore"],
];

/** @throws {UsageError} at a flag that the VMM does not have. */
export function parseFlags(args: readonly string[]): Flags {
  const values = new Map<string, string[]>();
  let version = false;
  let help = args.length === 0;
  let verbose = 0;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--version" || arg === "-V") version = true;
    else if (arg === "--help" || arg === "-h") help = true;
    else if (/^-v+$/.test(arg)) verbose += arg.length - 1;
    else {
      const [flag = "", inline] = split(arg);
      const given = values.get(flag) ?? [];
      if (switches.includes(flag)) given.push("on");
      else if (singles.includes(flag)) {
        if (given.length > 0) {
          throw new UsageError(`${flag} cannot be used multiple times`);
        }
        given.push(inline ?? take(args, ++at, flag));
      } else if (lists.includes(flag)) {
        given.push(inline ?? take(args, ++at, flag));
        while (at + 1 < args.length && !args[at + 1]!.startsWith("-")) {
          given.push(args[++at]!);
        }
      } else throw new UsageError(`unexpected argument '${arg}' found`);
      values.set(flag, given);
    }
  }
  for (const [one, other] of exclusive) {
    if (values.has(one) && values.has(other)) {
      throw new UsageError(`${one} cannot be used with ${other}`);
    }
  }
  return { version, help, verbose, values };
}

/** `--flag=value` in its two parts. */
function split(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

function take(args: readonly string[], at: number, flag: string): string {
  const value = args[at];
  if (value !== undefined) return value;
  throw new UsageError(`a value is required for '${flag}'`);
}

/** The parts of `path=x,readonly=on`; commas in brackets or quotes stay. */
export function options(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.match(/(?:\[[^\]]*\]|"[^"]*"|[^,])+/g) ?? []) {
    const [name, value] = split(part);
    parts.set(name, (value ?? "").replaceAll('"', ""));
  }
  return parts;
}
