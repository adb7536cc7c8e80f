/** `--net`, `--vdpa` and `--vsock`. */
import type {
  NetConfig,
  VdpaConfig,
  VsockConfig,
} from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { toDescriptor, truncatedIntegers } from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { limiter, optionalLimiterOf, pci } from "./shared.ts";
import {
  choice,
  count,
  ipAddress,
  macAddress,
  toggle,
  u16,
  u32,
} from "./values.ts";

const netOnly = {
  tap: text,
  ip: ipAddress,
  mask: ipAddress,
  mac: macAddress,
  host_mac: macAddress,
  offload_tso: toggle,
  offload_ufo: toggle,
  offload_csum: toggle,
  mtu: u16,
  queue_size: u16,
  num_queues: count,
  vhost_user: toggle,
  socket: text,
  vhost_mode: choice({ client: "Client", server: "Server" }),
  fd: truncatedIntegers(toDescriptor),
} as const;

const netOptions = { ...netOnly, ...limiter, ...pci } as const;

export function parseNet(value: FlagValue): NetConfig {
  const list = new OptionList(value, netOptions);
  const { socket, fd, ...rest } = list.read(netOnly);
  return given({
    ...rest,
    vhost_socket: socket,
    fds: fd,
    rate_limiter_config: optionalLimiterOf(list.read(limiter)),
    ...list.read(pci),
  });
}

const vdpaOptions = { ...pci, path: text, num_queues: count } as const;

export function parseVdpa(value: FlagValue): VdpaConfig {
  const list = new OptionList(value, vdpaOptions);
  const { num_queues, ...first } = vdpaOptions;
  const { path, ...rest } = list.read(first);
  return {
    path: list.require("path", path),
    ...rest,
    ...list.read({ num_queues }),
  };
}

const vsockOptions = { ...pci, socket: text, cid: u32 } as const;

export function parseVsock(value: FlagValue): VsockConfig {
  const list = new OptionList(value, vsockOptions);
  const { cid, ...first } = vsockOptions;
  const { socket, ...rest } = list.read(first);
  return {
    socket: list.require("socket", socket),
    cid: list.require("cid", list.read({ cid }).cid),
    ...rest,
  };
}
