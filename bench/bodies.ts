/** VMs of a size. */
import type { VmConfig } from "../mod.ts";

/** 32 disks and 32 nets: `vm.info` has some 30 KB. */
export const large: VmConfig = {
  payload: { kernel: "/boot/vmlinux" },
  disks: Array.from({ length: 32 }, (_, i) => ({
    id: `disk${i}`,
    path: `/dev/null`,
    readonly: true,
    serial: `serial-of-disk-${i}`,
  })),
  net: Array.from({ length: 32 }, (_, i) => ({
    id: `net${i}`,
    mac: `12:34:56:78:90:${(i + 16).toString(16)}`,
  })),
};

/** A body of at least 100 KiB. */
export const long: VmConfig = {
  payload: { kernel: "/boot/vmlinux" },
  disks: Array.from({ length: 640 }, (_, i) => ({
    id: `disk${i}`,
    path: `/var/lib/machines/one/of/many/disks/number-${i}/disk.raw`,
    serial: `serial-of-disk-number-${i}`,
    readonly: i % 2 === 0,
    direct: true,
    num_queues: 2,
    queue_size: 256,
  })),
};
