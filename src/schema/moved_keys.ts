/** Keys that people know from older releases, flags and other VMMs. */

/** The place of a key today, such as `payload.kernel`. */
export function movedTo(
  schema: string | undefined,
  key: string,
): string | undefined {
  return MOVED.get(schema ?? "")?.get(key);
}

/** True for a key that older releases had. */
export function isRemoved(schema: string | undefined, key: string): boolean {
  return REMOVED.get(schema ?? "")?.includes(key) ?? false;
}

/** The flags of a limiter, such as `bw_size`. */
const LIMITER = Object.fromEntries(
  [["bw", "bandwidth"], ["ops", "ops"]].flatMap(([flag, bucket]) =>
    ["size", "one_time_burst", "refill_time"].map((key) => [
      `${flag}_${key}`,
      `rate_limiter_config.${bucket}.${key}`,
    ])
  ),
);

const MOVED_KEYS: { [schema: string]: { [key: string]: string } } = {
  VmConfig: {
    kernel: "payload.kernel",
    cmdline: "payload.cmdline",
    initramfs: "payload.initramfs",
    firmware: "payload.firmware",
    igvm: "payload.igvm",
    host_data: "payload.host_data",
    fw_cfg_config: "payload.fw_cfg_config",
    "boot-source": "payload",
    cpu_count: "cpus.boot_vcpus",
    vcpu_count: "cpus.boot_vcpus",
    vcpus: "cpus.boot_vcpus",
    boot_vcpus: "cpus.boot_vcpus",
    max_vcpus: "cpus.max_vcpus",
    topology: "cpus.topology",
    "machine-config": "cpus and memory",
    mem_size: "memory.size",
    memory_size: "memory.size",
    mem_size_mib: "memory.size",
    ram: "memory.size",
    memory_zones: "memory.zones",
    drives: "disks",
    "network-interfaces": "net",
    uuid: "platform.system_uuid",
    serial_number: "platform.system_serial_number",
    oem_strings: "platform.oem_strings",
    num_pci_segments: "platform.num_pci_segments",
  },
  CpusConfig: { boot: "boot_vcpus", count: "boot_vcpus", max: "max_vcpus" },
  DiskConfig: {
    ...LIMITER,
    path_on_host: "path",
    is_read_only: "readonly",
    rate_limiter: "rate_limiter_config",
  },
  NetConfig: { ...LIMITER, host_dev_name: "tap", guest_mac: "mac" },
  RateLimitGroupConfig: LIMITER,
  VsockConfig: { guest_cid: "cid", uds_path: "socket" },
  RngConfig: { source: "src", path: "src" },
};

const MOVED: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries(MOVED_KEYS)
    .map(([schema, keys]) => [schema, new Map(Object.entries(keys))]),
);

const REMOVED: ReadonlyMap<string, readonly string[]> = new Map([
  ["VmConfig", ["sgx_epc"]],
  ["DiskConfig", ["poll_queue"]],
  ["FsConfig", ["dax", "cache_size"]],
]);
