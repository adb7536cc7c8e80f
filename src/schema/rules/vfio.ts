/** `devices`: VFIO devices. */
import type { DeviceConfigInfo } from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import type { Rule } from "./rule.ts";

const MAX_BAR = 5;

export const vfio: readonly Rule<DeviceConfigInfo>[] = [
  ...anyDevice,
  {
    field: "path",
    when: ({ path, fd }) => path === undefined && fd === undefined,
    message: "VFIO device config must specify `path=` or `fd=`",
  },
  {
    field: "fd",
    when: ({ path, fd }) => path !== undefined && fd !== undefined,
    message: "VFIO device config must specify at most one of `path=` or `fd=`",
  },
  {
    field: "fd",
    when: ({ fd }, { hasIommufd }) => fd !== undefined && !hasIommufd,
    message: "VFIO device `fd=` requires platform `iommufd_fd=<fd>`",
  },
  {
    field: "x_nv_gpudirect_clique",
    when: ({ x_nv_gpudirect_clique: clique }, { p2pDma }) =>
      clique !== undefined && !p2pDma,
    message: "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
    since: "v52.0",
  },
  {
    field: "x_exclude_mmap_bars",
    when: ({ x_exclude_mmap_bars: bars = [] }) =>
      bars.some((bar) => bar > MAX_BAR),
    message: ({ x_exclude_mmap_bars: bars = [] }) =>
      "Invalid VFIO excluded-mmap BAR index: " +
      bars.find((bar) => bar > MAX_BAR),
  },
];

/** The indices of devices whose path an earlier device has. */
export function duplicates(
  devices: readonly DeviceConfigInfo[] = [],
): Set<number> {
  const paths = devices.map(({ path }) => path);
  return new Set(
    paths.keys().filter((index) =>
      paths[index] !== undefined && paths.indexOf(paths[index]) < index
    ),
  );
}
