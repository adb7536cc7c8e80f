/** The flags of cloud-hypervisor, in the order of its help. */

/** A flag of the program. */
export interface Flag {
  /** With its dashes. */
  readonly name: string;
  /**
   * The values that follow: `none`, `one`, `some` (one or more, and the flag
   * may be repeated), or `optional`.
   */
  readonly values: "none" | "one" | "some" | "optional";
  /**
   * The flags of `vm` need one of `payload`. Those of `vmm` stand alone, and
   * concern the process.
   */
  readonly group: "vm" | "payload" | "vmm";
  /** The cargo feature that a build needs to know the flag. */
  readonly feature?: string;
  /** The first release that has the flag, if it is newer than v48.0. */
  readonly since?: string;
  /** The values that are allowed, if there are few. */
  readonly choices?: readonly string[];
  /** The first release that has a choice. */
  readonly choicesSince?: { readonly [choice: string]: string };
}

/** The values of `--seccomp`. */
const seccompModes = ["true", "false", "log", "errno"] as const;

export const flags: readonly Flag[] = [
  { name: "--api-socket", values: "one", group: "vmm" },
  { name: "--balloon", values: "one", group: "vm" },
  { name: "--cmdline", values: "one", group: "vm" },
  { name: "--console", values: "one", group: "vm" },
  { name: "--cpus", values: "one", group: "vm" },
  { name: "--debug-console", values: "one", group: "vm" },
  { name: "--device", values: "some", group: "vm" },
  { name: "--disk", values: "some", group: "vm" },
  { name: "--event-monitor", values: "one", group: "vmm" },
  { name: "--firmware", values: "one", group: "payload" },
  { name: "--fs", values: "some", group: "vm" },
  {
    name: "--fw-cfg-config",
    values: "one",
    group: "payload",
    feature: "fw_cfg",
  },
  { name: "--gdb", values: "one", group: "vmm", feature: "guest_debug" },
  {
    name: "--generic-vhost-user",
    values: "some",
    group: "vm",
    since: "v52.0",
  },
  { name: "--host-data", values: "one", group: "vm", feature: "sev_snp" },
  { name: "--igvm", values: "one", group: "payload", feature: "igvm" },
  { name: "--initramfs", values: "one", group: "vm" },
  { name: "--ivshmem", values: "one", group: "vm", feature: "ivshmem" },
  { name: "--kernel", values: "one", group: "payload" },
  { name: "--landlock", values: "none", group: "vm" },
  { name: "--landlock-rules", values: "some", group: "vm" },
  { name: "--log-file", values: "one", group: "vmm" },
  { name: "--log-format", values: "one", group: "vmm", since: "v52.0" },
  { name: "--memory", values: "one", group: "vm" },
  { name: "--memory-zone", values: "some", group: "vm" },
  { name: "--net", values: "some", group: "vm" },
  { name: "--no-shutdown", values: "none", group: "vmm" },
  { name: "--numa", values: "some", group: "vm" },
  { name: "--pci-segment", values: "some", group: "vm" },
  { name: "--platform", values: "one", group: "vm" },
  { name: "--pmem", values: "some", group: "vm" },
  {
    name: "--pvmemcontrol",
    values: "none",
    group: "vm",
    feature: "pvmemcontrol",
  },
  { name: "--pvpanic", values: "none", group: "vm" },
  { name: "--rate-limit-group", values: "some", group: "vm" },
  { name: "--restore", values: "one", group: "vmm" },
  { name: "--rng", values: "one", group: "vm" },
  { name: "--rtc", values: "optional", group: "vm", since: "v53.0" },
  {
    name: "--seccomp",
    values: "one",
    group: "vmm",
    choices: seccompModes,
    choicesSince: { errno: "v53.0" },
  },
  { name: "--serial", values: "one", group: "vm" },
  { name: "--tpm", values: "one", group: "vm" },
  { name: "--user-device", values: "some", group: "vm" },
  { name: "--vdpa", values: "some", group: "vm" },
  { name: "--version", values: "none", group: "vmm" },
  { name: "--vsock", values: "one", group: "vm" },
  { name: "--watchdog", values: "none", group: "vm" },
  { name: "--help", values: "none", group: "vmm" },
];
