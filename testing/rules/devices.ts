/** VFIO devices, the vsock device, the balloon, and access rules for paths. */
import type {
  BalloonConfigInfo,
  DeviceConfigInfo,
  LandlockConfig,
  VsockConfigInfo,
} from "../../src/generated/types.gen.ts";
import { totalRam } from "../config.ts";
import { anyDevice } from "./pci.ts";
import type { Rule } from "./rule.ts";

export const vfio: readonly Rule<DeviceConfigInfo>[] = [
  ...anyDevice,
  [
    ({ path, fd }) => path === undefined && fd === undefined,
    () => "VFIO device config must specify `path=` or `fd=`",
  ],
  [
    ({ path, fd }) => path !== undefined && fd !== undefined,
    () => "VFIO device config must specify at most one of `path=` or `fd=`",
  ],
  [
    ({ fd }, { config }) =>
      fd !== undefined && config.platform?.iommufd_fd === undefined,
    () => "VFIO device `fd=` requires platform `iommufd_fd=<fd>`",
  ],
  [
    ({ x_nv_gpudirect_clique: clique }, { config }) =>
      clique !== undefined && config.platform?.vfio_p2p_dma === false,
    () => "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
  ],
  [
    ({ x_exclude_mmap_bars: bars }) => bars.some((bar) => bar > 5),
    ({ x_exclude_mmap_bars: bars }) =>
      `Invalid VFIO excluded-mmap BAR index: ${bars.find((bar) => bar > 5)}`,
  ],
];

const SPECIAL_CIDS: readonly number[] = [0, 1, 2, 0xffff_ffff];

export const cid: readonly Rule<VsockConfigInfo>[] = [
  [
    ({ cid }) => SPECIAL_CIDS.includes(cid),
    ({ cid }) => `${cid} is a special VSOCK CID`,
  ],
];

export const balloonSize: readonly Rule<BalloonConfigInfo>[] = [
  [
    ({ size }, { config }) => BigInt(size) >= totalRam(config.memory),
    ({ size }, { config }) =>
      `Balloon size (${size}) greater than RAM (${totalRam(config.memory)})`,
  ],
];

export const landlock: readonly Rule<LandlockConfig>[] = [
  [
    ({ path }, { exists }) => !exists(path),
    ({ path }) =>
      `Path ${JSON.stringify(path)} provided in landlock-rules does not exist`,
  ],
  [({ access }) => access === "", () => access("Access cannot be empty")],
  [
    ({ access }) => /[^rw]/.test(access),
    ({ access: given }) =>
      access(`Invalid access: ${/[^rw]/u.exec(given)![0]}`),
  ],
];

function access(problem: string): string {
  return `Invalid landlock access: Invalid Landlock access: ${problem}`;
}
