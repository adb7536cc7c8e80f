/**
 * The command line of cloud-hypervisor as a configuration.
 *
 * @module
 */
export {
  CommandLineError,
  type CommandLineErrorReason,
  type CommandLineFault,
} from "./command_line_error.ts";
export { type CommandLine, parseCommandLine } from "./parse_command_line.ts";
export type { PathOrDescriptor, VmmFlags } from "./vmm_flags.ts";
