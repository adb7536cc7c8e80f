/** From the flags of a VM to its configuration. */
import type { VmConfig } from "../generated/types.gen.ts";
import { parseConsole, parseDebugConsole, parseSerial } from "./consoles.ts";
import { parseCpus } from "./cpus.ts";
import {
  parseBalloon,
  parseDevice,
  parseFs,
  parseIvshmem,
  parseRng,
  parseRtc,
  parseTpm,
  parseUserDevice,
} from "./devices.ts";
import { parseDisk, parsePmem, parseRateLimitGroup } from "./disks.ts";
import { parseGenericVhostUser } from "./generic_vhost_user.ts";
import { given } from "./given.ts";
import { parseMemory } from "./memory.ts";
import { parseNet, parseVdpa, parseVsock } from "./net.ts";
import type { FlagValue, ParsedFlags } from "./parse_flags.ts";
import { parsePayload } from "./payload.ts";
import {
  parseLandlockRule,
  parseNuma,
  parsePciSegment,
  parsePlatform,
} from "./platform.ts";

/**
 * The configuration of the VM, or undefined where the command line asks for
 * none. The program converts the flags in this order, so that of two faults it
 * reports the one that comes first here.
 *
 * @throws {CommandLineError} if the value of a flag is wrong.
 */
export function parseVmConfig({ values }: ParsedFlags): VmConfig | undefined {
  const payload = parsePayload(values);
  if (payload === undefined) return undefined;
  const one = <T>(flag: string, parse: (value: FlagValue) => T) => {
    const value = values.get(flag)?.[0];
    return value && parse(value);
  };
  const all = <T>(flag: string, parse: (value: FlagValue) => T) =>
    values.get(flag)?.map(parse);
  const on = (flag: string) => values.has(flag) || undefined;
  return given({
    payload,
    rate_limit_groups: all("--rate-limit-group", parseRateLimitGroup),
    disks: all("--disk", parseDisk),
    net: all("--net", parseNet),
    rng: one("--rng", parseRng),
    // `--rtc` alone has no value.
    rtc: values.has("--rtc") ? one("--rtc", parseRtc) ?? {} : undefined,
    balloon: one("--balloon", parseBalloon),
    pvmemcontrol: on("--pvmemcontrol") && {},
    fs: all("--fs", parseFs),
    generic_vhost_user: all("--generic-vhost-user", parseGenericVhostUser),
    pmem: all("--pmem", parsePmem),
    console: one("--console", parseConsole),
    serial: one("--serial", parseSerial),
    debug_console: one("--debug-console", parseDebugConsole),
    devices: all("--device", parseDevice),
    user_devices: all("--user-device", parseUserDevice),
    vdpa: all("--vdpa", parseVdpa),
    vsock: one("--vsock", parseVsock),
    pci_segments: all("--pci-segment", parsePciSegment),
    platform: one("--platform", parsePlatform),
    numa: all("--numa", parseNuma),
    tpm: one("--tpm", parseTpm),
    gdb: on("--gdb"),
    landlock_enable: on("--landlock"),
    landlock_rules: all("--landlock-rules", parseLandlockRule),
    ivshmem: one("--ivshmem", parseIvshmem),
    cpus: one("--cpus", parseCpus),
    memory: parseMemory(
      values.get("--memory")?.[0],
      values.get("--memory-zone"),
    ),
    pvpanic: on("--pvpanic"),
    watchdog: on("--watchdog"),
  });
}
