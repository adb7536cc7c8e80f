/** A configuration from flags: the values are read by the schemas. */
import type { VmConfig } from "../../src/generated/types.gen.ts";
import type { Release } from "../release.ts";
import type { StructType, Type } from "../serde/type.ts";
import { structOf } from "../serde/types.ts";
import { type Flags, options, UsageError } from "./flags.ts";

/** Where the value of a flag goes, and of which schema it is. */
const places: readonly (readonly [
  flag: string,
  key: string,
  schema: string,
  many?: boolean,
])[] = [
  ["--cpus", "cpus", "CpusConfig"],
  ["--memory", "memory", "MemoryConfig"],
  ["--disk", "disks", "DiskConfig", true],
  ["--net", "net", "NetConfig", true],
  ["--rng", "rng", "RngConfig"],
  ["--balloon", "balloon", "BalloonConfig"],
  ["--fs", "fs", "FsConfig", true],
  [
    "--generic-vhost-user",
    "generic_vhost_user",
    "GenericVhostUserConfig",
    true,
  ],
  ["--pmem", "pmem", "PmemConfig", true],
  ["--device", "devices", "DeviceConfig", true],
  ["--user-device", "user_devices", "UserDeviceConfig", true],
  ["--vdpa", "vdpa", "VdpaConfig", true],
  ["--vsock", "vsock", "VsockConfig"],
  ["--platform", "platform", "PlatformConfig"],
  ["--pci-segment", "pci_segments", "PciSegmentConfig", true],
  ["--rate-limit-group", "rate_limit_groups", "RateLimitGroupConfig", true],
  ["--numa", "numa", "NumaConfig", true],
  ["--tpm", "tpm", "TpmConfig"],
];

/** Flags that are said shorter than the key in JSON. */
const renamed: { readonly [name: string]: string | undefined } = {
  boot: "boot_vcpus",
  max: "max_vcpus",
};

/** The configuration that the flags describe; undefined without a payload. */
export function configOf(
  release: Release,
  { values }: Flags,
): VmConfig | undefined {
  const one = (flag: string) => values.get(flag)?.[0];
  if (one("--kernel") === undefined && one("--firmware") === undefined) {
    return undefined;
  }
  const config: Record<string, unknown> = {
    payload: defined({
      kernel: one("--kernel"),
      firmware: one("--firmware"),
      cmdline: one("--cmdline"),
      initramfs: one("--initramfs"),
    }),
  };
  for (const [flag, key, schema, many] of places) {
    const given = values.get(flag);
    if (given === undefined) continue;
    const type = structOf(release, schema);
    const items = given.map((text) => itemOf(flag, type, text));
    config[key] = many ? items : items[0];
  }
  for (const name of ["console", "serial", "debug-console"]) {
    const text = one(`--${name}`);
    if (text !== undefined) config[name.replace("-", "_")] = consoleOf(text);
  }
  for (const name of ["pvpanic", "watchdog"]) {
    if (values.has(`--${name}`)) config[name] = true;
  }
  const zones = values.get("--memory-zone");
  if (zones !== undefined) {
    const type = structOf(release, "MemoryZoneConfig");
    const items = zones.map((text) => itemOf("--memory-zone", type, text));
    const memory = config["memory"] as object | undefined;
    config["memory"] = { size: 0, ...memory, zones: items };
  }
  return filled(config) as VmConfig;
}

/** What the flags fill in where JSON would have to say it. */
function filled(config: Record<string, unknown>): Record<string, unknown> {
  const cpus = config["cpus"] as Record<string, number> | undefined;
  if (cpus !== undefined) {
    const boot = cpus["boot_vcpus"] ?? 1;
    config["cpus"] = { boot_vcpus: boot, max_vcpus: boot, ...cpus };
  }
  const memory = config["memory"] as object | undefined;
  if (memory !== undefined) config["memory"] = { size: 512 << 20, ...memory };
  return config;
}

function itemOf(flag: string, type: StructType, text: string): object {
  const item: Record<string, unknown> = {};
  for (const [name, value] of options(text)) {
    const key = renamed[name] ?? name;
    const field = type.byKey.get(key);
    if (field === undefined) {
      throw new UsageError(`Error parsing ${flag}: unknown option: ${name}`);
    }
    item[key] = valueOf(flag, field.type, value);
  }
  return item;
}

function valueOf(flag: string, type: Type, text: string): unknown {
  switch (type.kind) {
    case "option":
      return valueOf(flag, type.of, text);
    case "boolean":
      return ["on", "true", "yes", ""].includes(text);
    case "integer":
      return sizeOf(flag, text);
    case "enum":
      return type.variants.find((variant) =>
        variant.toLowerCase() === text.toLowerCase()
      ) ?? text;
    case "list":
      return text.replace(/^\[|\]$/g, "").split(",")
        .map((item) => valueOf(flag, type.of, item));
  }
  return text;
}

/** A number, or a size with a K, M or G. */
function sizeOf(flag: string, text: string): number | bigint {
  const match = /^(\d+)([KMG]?)$/.exec(text);
  if (match === null) {
    throw new UsageError(`Error parsing ${flag}: invalid number: ${text}`);
  }
  const [, digits = "", unit = ""] = match;
  const exact = BigInt(digits) << BigInt(10 * " KMG".indexOf(unit || " "));
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
}

function consoleOf(text: string): object {
  const parts = options(text);
  for (const mode of ["Off", "Null", "Pty", "Tty"]) {
    if (parts.has(mode.toLowerCase())) return { mode };
  }
  const file = parts.get("file");
  if (file !== undefined) return { mode: "File", file };
  const socket = parts.get("socket");
  if (socket !== undefined) return { mode: "Socket", socket };
  throw new UsageError(`Error parsing a console: ${text}`);
}

function defined(object: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(object).filter(([, value]) =>
    value !== undefined
  );
  return Object.fromEntries(given);
}
