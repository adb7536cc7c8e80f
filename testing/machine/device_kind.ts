/** The kinds of devices. */

/** The kinds by virtio's names; `vfio` and `pvpanic` are plain PCI devices. */
export type DeviceKind =
  | "block"
  | "net"
  | "rng"
  | "console"
  | "generic"
  | "fs"
  | "pmem"
  | "vsock"
  | "mem"
  | "balloon"
  | "watchdog"
  | "vdpa"
  | "rtc"
  | "iommu"
  | "vfio"
  | "vfio-user"
  | "pvpanic";

/** Returns whether a device is its own PCI node. */
export function isPlainPci(kind: DeviceKind): boolean {
  return kind === "vfio" || kind === "vfio-user" || kind === "pvpanic";
}
