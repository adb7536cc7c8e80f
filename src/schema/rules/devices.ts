/** VFIO devices, the vsock device, the balloon, and access rules for paths. */
import type {
  BalloonConfigInfo,
  DeviceConfigInfo,
  IvshmemConfigInfo,
  LandlockConfig,
  VsockConfigInfo,
} from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { isPowerOfTwo, type Rule } from "./rule.ts";

export const vfio: readonly Rule<DeviceConfigInfo>[] = [
  ...anyDevice,
  [
    ({ path, fd }) => path === undefined && fd === undefined,
    () => "VFIO device config must specify `path=` or `fd=`",
    "path",
  ],
  [
    ({ path, fd }) => path !== undefined && fd !== undefined,
    () => "VFIO device config must specify at most one of `path=` or `fd=`",
    "fd",
  ],
  [
    ({ fd }, { hasIommufd }) => fd !== undefined && !hasIommufd,
    () => "VFIO device `fd=` requires platform `iommufd_fd=<fd>`",
    "fd",
  ],
  [
    ({ x_nv_gpudirect_clique: clique }, { p2pDma }) =>
      clique !== undefined && !p2pDma,
    () => "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
    "x_nv_gpudirect_clique",
  ],
  [
    ({ x_exclude_mmap_bars: bars }) => bars.some((bar) => bar > 5),
    ({ x_exclude_mmap_bars: bars }) =>
      `Invalid VFIO excluded-mmap BAR index: ${bars.find((bar) => bar > 5)}`,
    "x_exclude_mmap_bars",
  ],
];

/** The indices of devices whose path an earlier one has. */
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

const SPECIAL_CIDS: readonly number[] = [0, 1, 2, 0xffff_ffff];

export const cid: readonly Rule<VsockConfigInfo>[] = [
  [
    ({ cid }) => SPECIAL_CIDS.includes(cid),
    ({ cid }) => `${cid} is a special VSOCK CID`,
    "cid",
  ],
];

export const balloonSize: readonly Rule<BalloonConfigInfo>[] = [
  [
    ({ size }, { ram }) => ram !== undefined && BigInt(size) >= ram,
    ({ size }, { ram }) => `Balloon size (${size}) greater than RAM (${ram})`,
    "size",
  ],
];

export const ivshmem: readonly Rule<IvshmemConfigInfo>[] = [
  [
    ({ size }) => !isPowerOfTwo(size),
    ({ size }) => `Invalid ivshmem input size: ${size}`,
    "size",
  ],
];

export const landlock: readonly Rule<LandlockConfig>[] = [
  [
    ({ path }, { exists }) => !exists(path),
    ({ path }) =>
      `Path ${JSON.stringify(path)} provided in landlock-rules does not exist`,
    "path",
  ],
  [
    ({ access }) => access === "",
    () => access("Access cannot be empty"),
    "access",
  ],
  [
    ({ access }) => /[^rw]/.test(access),
    ({ access: given }) =>
      access(`Invalid access: ${/[^rw]/u.exec(given)![0]}`),
    "access",
  ],
];

function access(problem: string): string {
  return `Invalid landlock access: Invalid Landlock access: ${problem}`;
}
