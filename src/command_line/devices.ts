/** The flags of single devices that need few options. */
import type {
  BalloonConfig,
  DeviceConfig,
  FsConfig,
  IvshmemConfig,
  RngConfig,
  RtcConfig,
  TpmConfig,
  UserDeviceConfig,
} from "../generated/types.gen.ts";
import { integers } from "./lists.ts";
import { given } from "./given.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { pci, pciWithoutIommu } from "./shared.ts";
import { byteSize, count, i32, toggle, u16, u8 } from "./values.ts";

const balloonOptions = {
  size: byteSize,
  deflate_on_oom: toggle,
  free_page_reporting: toggle,
  ...pci,
} as const;

export function parseBalloon(value: FlagValue): BalloonConfig {
  const list = new OptionList(value, balloonOptions);
  return { size: 0, ...list.read(balloonOptions) };
}

const deviceOptions = {
  ...pci,
  path: text,
  fd: i32,
  x_nv_gpudirect_clique: u8,
  x_exclude_mmap_bars: integers(64),
} as const;

export function parseDevice(value: FlagValue): DeviceConfig {
  const list = new OptionList(value, deviceOptions);
  const { path, ...rest } = list.read(deviceOptions);
  const isRequired = !value.program.knowsSince("v53.0");
  return given({
    path: isRequired ? list.require("path", path) : path,
    ...rest,
  });
}

/** Bytes that the tag of a virtio-fs device may have. */
const LONGEST_TAG = 36;

const fsOptions = {
  tag: text,
  socket: text,
  queue_size: u16,
  num_queues: count,
  ...pciWithoutIommu,
} as const;

export function parseFs(value: FlagValue): FsConfig {
  const list = new OptionList(value, fsOptions);
  const { tag: readTag, socket: readSocket, ...others } = fsOptions;
  const tag = list.require("tag", list.read({ tag: readTag }).tag);
  if (new TextEncoder().encode(tag).length > LONGEST_TAG) {
    const text = `may have ${LONGEST_TAG} bytes at most`;
    throw list.fault("invalid_value", "tag", tag, text);
  }
  const { socket } = list.read({ socket: readSocket });
  return { tag, socket: list.require("socket", socket), ...list.read(others) };
}

const ivshmemOptions = {
  path: text,
  size: byteSize,
  ...pciWithoutIommu,
} as const;

export function parseIvshmem(value: FlagValue): IvshmemConfig {
  const list = new OptionList(value, ivshmemOptions);
  const { path, size = 128 << 20, ...rest } = list.read(ivshmemOptions);
  return { path: list.require("path", path), size, ...rest };
}

const rngOptions = { src: text, ...pci } as const;

export function parseRng(value: FlagValue): RngConfig {
  const list = new OptionList(value, rngOptions);
  return { src: "/dev/urandom", ...list.read(rngOptions) };
}

export function parseRtc(value: FlagValue): RtcConfig {
  return new OptionList(value, pci).read(pci);
}

const tpmOptions = { socket: text } as const;

export function parseTpm(value: FlagValue): TpmConfig {
  const list = new OptionList(value, tpmOptions);
  return { socket: list.require("socket", list.read(tpmOptions).socket) };
}

const userDeviceOptions = { ...pciWithoutIommu, socket: text } as const;

export function parseUserDevice(value: FlagValue): UserDeviceConfig {
  const list = new OptionList(value, userDeviceOptions);
  const { socket, ...rest } = list.read(userDeviceOptions);
  return { socket: list.require("socket", socket), ...rest };
}
