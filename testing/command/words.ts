/** The program's own words for a command line that it refuses. */
import type { CommandLineError } from "../../src/command_line/command_line_error.ts";
import { flags } from "../../src/command_line/flags.ts";
import type { Release } from "../release_type.ts";

/** The first line of a usage error, which ends the program with code 2. */
export function usageOf({ reason, flag, value }: CommandLineError): string {
  switch (reason) {
    case "unexpected_argument":
      return `unexpected argument '${nameOf(value)}' found`;
    case "unexpected_value":
      return `unexpected value '${value}' for '${flag}' found; no more were ` +
        "expected";
    case "missing_value":
      return `a value is required for '${signature(flag)}' but none was ` +
        "supplied";
    case "repeated_flag":
      return `the argument '${signature(flag)}' cannot be used multiple times`;
    case "missing_payload":
      return "the following required arguments were not provided:";
    default:
      return `invalid value '${value}' for '${signature(flag)}'`;
  }
}

/** An argument without the value in `--flag=value`. */
function nameOf(argument = ""): string {
  return argument.startsWith("--") ? argument.split("=", 1)[0]! : argument;
}

/** A flag with its value, as in the program's help. */
function signature(name: string | undefined): string {
  const value = `<${name?.slice(2)}>`;
  switch (flags.find((flag) => flag.name === name)?.values) {
    case "one":
      return `${name} ${value}`;
    case "some":
      return `${name} ${value}...`;
    case "optional":
      return `${name} [${value}]`;
    default:
      return `${name}`;
  }
}

/** The chain of errors, outermost first, for the value of a flag. */
export function chainOf(error: CommandLineError, release: Release): string[] {
  switch (error.flag) {
    case "--api-socket":
      return ["Error parsing --api-socket", "invalid digit found in string"];
    case "--log-format":
      return ["Error parsing logger format", formatWords(error.value)];
    case "--event-monitor":
    case "--gdb":
      return optionChain(error, release);
    case "--restore":
      return ["Error parsing restore", ...optionChain(error, release)];
    default:
      return ["Error parsing config", ...optionChain(error, release)];
  }
}

function formatWords(token: string | undefined): string {
  if (token === "}") return "Unmatched '}' in format string";
  if (token === "{") return "Unterminated '{' in format string";
  return `Unknown format token '{${token}}'`;
}

/** Messages that do not follow the pattern, by flag, option and reason. */
const SPECIAL: Readonly<Record<string, (value?: string) => string[]>> = {
  "--event-monitor path missing_option": () => [
    "Error parsing --event-monitor: path or fd required",
  ],
  "--gdb path missing_option": () => ["Error parsing --gdb: path required"],
  "--cpus features invalid_value": (value) => [
    `Invalid feature in --cpus features list: ${value}`,
  ],
  "--fs tag invalid_value": () => ["Error parsing --fs: max tag length is 36"],
  "--generic-vhost-user queue_sizes missing_option": () => [
    "Error parsing --generic-vhost-user: queue size missing",
  ],
  "--generic-vhost-user device_type invalid_value": (value) => [
    `Error parsing --generic-vhost-user: device_type ` +
    `${JSON.stringify(value)} invalid (leading zeros or unknown string)`,
  ],
  "--generic-vhost-user device_type conflicting_options": (value) => [
    `Error parsing --generic-vhost-user: device with device_type ` +
    `${JSON.stringify(value)} cannot be implemented via vhost-user`,
  ],
  "--tpm socket missing_option": () => ["Error parsing --tpm: path missing"],
  "--landlock-rules path missing_option": () => [LANDLOCK],
  "--landlock-rules access missing_option": () => [LANDLOCK],
  "--landlock-rules access invalid_value": (value) => [
    "Error parsing --landlock-rules",
    `Invalid value: ${value}`,
  ],
  "--numa guest_numa_id missing_option": () => [
    "Error parsing --numa",
    "Invalid value: guest_numa_id is required for all NUMA nodes",
  ],
  "--numa device_id conflicting_options": () => [
    "Error parsing --numa",
    "Invalid value: device_id in numa config cannot be used with cpus or " +
    "memory zones",
  ],
  "--debug-console iobase invalid_value": (value) => [
    "Error validating configuration",
    "The IO port was not properly provided in hex or a `0x` prefix is " +
    `missing: ${value}`,
  ],
};

const LANDLOCK = "Error parsing --landlock-rules: path/access field missing";

const CONSOLES: readonly unknown[] = [
  "--console",
  "--serial",
  "--debug-console",
];

/** Options that every PCI device has, and the program parses apart. */
const PCI: readonly unknown[] = ["iommu", "pci_segment", "pci_device_id"];

function optionChain(error: CommandLineError, release: Release): string[] {
  const { flag, option, value, reason } = error;
  const special = SPECIAL[`${flag} ${option} ${reason}`];
  if (special !== undefined) return withCase(special(value), release);
  if (reason === "missing_option") {
    if (!CONSOLES.includes(flag)) {
      return [`Error parsing ${flag}: ${option} missing`];
    }
    return option === "mode"
      ? ["Error parsing --console: invalid console mode given"]
      : [
        "Error validating configuration",
        `Path missing when using ${option} console mode`,
      ];
  }
  const isPci = release.flattens && reason === "invalid_value" &&
    PCI.includes(option) && flag !== "--pci-segment";
  // The program takes the one console for the other.
  const isConsole = flag === "--debug-console" ||
    flag === "--serial" && !release.flattens;
  const name = isConsole ? "--console" : flag;
  const outer = isPci
    ? "Error parsing common PCI device config"
    : `Error parsing ${name}`;
  return withCase([outer, partWords(error)], release);
}

function partWords({ reason, option, value }: CommandLineError): string {
  switch (reason) {
    case "unknown_option":
      return `Unknown option: ${value}`;
    case "invalid_syntax":
      return `Invalid syntax: ${value}`;
    default:
      return `Unable to convert ${value} for ${option}`;
  }
}

/** The messages of the parser of options begin in lower case in v53.0. */
function withCase(chain: string[], { lowerCaseWords }: Release): string[] {
  return lowerCaseWords
    ? chain.map((text) =>
      text.replace(
        /^(Unknown option|Invalid syntax|Unable to convert|Invalid value)\b/,
        (words) => words.charAt(0).toLowerCase() + words.slice(1),
      )
    )
    : chain;
}
