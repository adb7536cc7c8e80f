import type { VmConfig } from "../generated/types.gen.ts";
import { parseFlags } from "./parse_flags.ts";
import { anyProgram } from "./program.ts";
import { parseVmConfig } from "./vm_config.ts";
import { parseSnapshot, parseVmmFlags, type VmmFlags } from "./vmm_flags.ts";

/** A command line of cloud-hypervisor, taken apart. */
export interface CommandLine {
  /**
   * The VM that the program would create and boot; absent without `--kernel`,
   * `--firmware` or `--igvm`. Members that the command line does not mention
   * are absent, and get the same defaults from `vm.create`.
   */
  readonly config?: VmConfig;
  /** The flags that concern the process. */
  readonly vmm: VmmFlags;
}

/**
 * Parses a command line of cloud-hypervisor into a configuration and the flags
 * of the process.
 *
 * It accepts the flags of the newest release with every feature of a build, and
 * refuses what the program refuses before it creates a VM. `validate()` of
 * `./schema` finds values that the VMM refuses at the boot. Descriptors (`fd=`
 * of `--net` and `--device`) are kept, but cannot be sent in a request.
 *
 * @param argv The arguments without the name of the program.
 * @throws {CommandLineError} with the flag, the option and the reason.
 *
 * @example
 * ```ts
 * import { parseCommandLine } from "@chv/cloud-hypervisor/command-line";
 *
 * const { config, vmm } = parseCommandLine([
 *   "--api-socket", "path=/run/vm0.sock",
 *   "--kernel", "/boot/vmlinux",
 *   "--cpus", "boot=2,topology=1:2:1:1",
 *   "--memory", "size=1G,hotplug_size=2G,hotplug_method=virtio-mem",
 *   "--disk", "path=/images/root.raw,readonly=on",
 * ]);
 * console.log(config?.memory?.size); // 1073741824
 * console.log(vmm.apiSocket); // { path: "/run/vm0.sock" }
 * ```
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const flags = parseFlags(argv, anyProgram);
  const vmm = parseVmmFlags(flags);
  if (vmm.prints !== undefined) return { vmm };
  const config = parseVmConfig(flags);
  if (config !== undefined) return { config, vmm };
  const restore = parseSnapshot(flags);
  return { vmm: { ...vmm, ...restore && { restore } } };
}
