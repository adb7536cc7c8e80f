/**
 * Names of the VMM's own types that the spec does not carry. Only messages
 * such as "expected struct …" depend on them.
 */
import { isIp, isMac } from "../../src/schema/rules/formats.ts";

/** Structs whose name differs from the name of their schema. */
export const structs: { readonly [schema: string]: string | undefined } = {
  TokenBucket: "TokenBucketConfig",
  RateLimitGroupConfig: "RateLimiterGroupConfig",
  VmResize: "VmResizeData",
  VmResizeDisk: "VmResizeDiskData",
  VmResizeZone: "VmResizeZoneData",
  VmRemoveDevice: "VmRemoveDeviceData",
  ReceiveMigrationData: "VmReceiveMigrationData",
  SendMigrationData: "VmSendMigrationData",
};

/** Strings that are paths. */
export const paths: { readonly [schema: string]: readonly string[] } = {
  PayloadConfig: ["firmware", "kernel", "initramfs", "igvm"],
  FwCfgItem: ["file"],
  MemoryZoneConfig: ["file"],
  DiskConfig: ["path"],
  RngConfig: ["src"],
  FsConfig: ["socket"],
  GenericVhostUserConfig: ["socket"],
  PmemConfig: ["file"],
  ConsoleConfig: ["file", "socket"],
  SerialConfig: ["file", "socket"],
  DebugConsoleConfig: ["file"],
  DeviceConfig: ["path"],
  UserDeviceConfig: ["socket"],
  TpmConfig: ["socket"],
  VdpaConfig: ["path"],
  VsockConfig: ["socket"],
  IvshmemConfig: ["path"],
  RestoreConfig: ["source_url"],
  ReceiveMigrationData: ["tls_dir"],
  SendMigrationData: ["tls_dir"],
  LandlockConfig: ["path"],
};

/** Integers of type usize. */
export const words: { readonly [schema: string]: readonly string[] } = {
  CpuAffinity: ["host_cpus"],
  VirtQueueAffinity: ["host_cpus"],
  DiskConfig: ["num_queues"],
  NetConfig: ["num_queues"],
  FsConfig: ["num_queues"],
  VdpaConfig: ["num_queues"],
  IvshmemConfig: ["size"],
  RestoredNetConfig: ["num_fds"],
};

/** Returns the fields that belong to a flattened struct. */
export function flattened(schema: string, fields: string[]): string[] {
  const common = fields.includes("pci_segment") && schema !== "PciSegmentConfig"
    ? ["id", "iommu", "pci_segment", "pci_device_id"]
    : [];
  const console = schema === "ConsoleConfig" || schema === "SerialConfig"
    ? ["file", "mode", "socket"]
    : [];
  return [...console, ...common].filter((name) => fields.includes(name));
}

/** Options that an array in place of a struct must not omit at its end. */
export const unpadded: { readonly [schema: string]: readonly string[] } = {
  VmConfig: ["payload", "disks", "net", "vsock", "platform", "landlock_rules"],
  VmResize: ["desired_vcpus", "desired_ram", "desired_balloon"],
  DebugConsoleConfig: ["iobase"],
  RateLimiterConfig: ["bandwidth", "ops"],
  TokenBucket: ["one_time_burst"],
};

/** Strings with a syntax: the expected type, and the error of a mismatch. */
export const forms: {
  readonly [field: string]: {
    readonly expected: string;
    readonly check: (text: string) => string | undefined;
    /** Returns the form in which the VMM keeps the text. */
    readonly normalize: (text: string) => string;
  } | undefined;
} = {
  mac: { expected: "a string", check: mac, normalize: lowerCase },
  host_mac: { expected: "a string", check: mac, normalize: lowerCase },
  ip: { expected: "IP address", check: ip, normalize: canonicalIp },
  mask: { expected: "IP address", check: ip, normalize: canonicalIp },
};

function lowerCase(text: string): string {
  return text.toLowerCase();
}

/** The shortest form of an IPv6 address; IPv4 at its end stays decimal. */
function canonicalIp(text: string): string {
  if (!text.includes(":")) return text;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short);
  if (mapped === null) return short;
  const bytes = mapped.slice(1).flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
  return `::ffff:${bytes.join(".")}`;
}

function mac(text: string): string | undefined {
  return isMac(text) ? undefined : "The provided MAC address is invalid: " +
    `parsing of ${text} into a MAC address failed`;
}

function ip(text: string): string | undefined {
  return isIp(text) ? undefined : "invalid IP address syntax";
}
