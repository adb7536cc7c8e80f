/** `--generic-vhost-user`. */
import type { GenericVhostUserConfig } from "../generated/types.gen.ts";
import { integers } from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { pciWithoutIommu } from "./shared.ts";
import { exactUnsigned } from "./values.ts";

/** Names of virtio device types, by their number in the virtio specification. */
const deviceTypes: Readonly<Record<string, number>> = {
  net: 1,
  block: 2,
  console: 3,
  rng: 4,
  balloon: 5,
  iomem: 6,
  rpmsg: 7,
  scsi: 8,
  "9p": 9,
  mac80211_wlan: 10,
  rproc_serial: 11,
  caif: 12,
  memory_balloon: 13,
  gpu: 16,
  clock: 17,
  input: 18,
  vsock: 19,
  crypto: 20,
  signal_dist: 21,
  pstore: 22,
  iommu: 23,
  mem: 24,
  sound: 25,
  fs: 26,
  pmem: 27,
  rpmb: 28,
  mac80211_hwsim: 29,
  video_encoder: 30,
  video_decoder: 31,
  scmi: 32,
  nitro_sec_mod: 33,
  i2c: 34,
  watchdog: 35,
  can: 36,
  dmabuf: 37,
  param_serv: 38,
  audio_policy: 39,
  bt: 40,
  gpio: 41,
  rdma: 42,
  camera: 43,
  ism: 44,
  spi: 45,
  tee: 46,
  cpu_balloon: 47,
  media: 48,
  usb: 49,
};

/** A device of these types cannot be in another process. */
const unsupportedTypes = [deviceTypes["iommu"], deviceTypes["watchdog"]];

const genericVhostUserOptions = {
  socket: text,
  queue_sizes: integers(16),
  // The older name of `device_type`.
  virtio_id: text,
  device_type: text,
  ...pciWithoutIommu,
} as const;

export function parseGenericVhostUser(
  value: FlagValue,
): GenericVhostUserConfig {
  const list = new OptionList(value, genericVhostUserOptions);
  const { socket, queue_sizes, virtio_id, device_type, ...rest } = list.read(
    genericVhostUserOptions,
  );
  return {
    socket: list.require("socket", socket),
    queue_sizes: list.require("queue_sizes", queue_sizes),
    device_type: deviceType(
      list,
      list.require("device_type", device_type ?? virtio_id),
    ),
    ...rest,
  };
}

function deviceType(list: OptionList, name: string): number {
  const number = Object.hasOwn(deviceTypes, name)
    ? deviceTypes[name]
    : numberOf(name);
  const fail = (
    reason: "invalid_value" | "conflicting_options",
    text: string,
  ) => list.fault(reason, "device_type", name, text);
  if (number === undefined) {
    const text = `must be a virtio device type, not ${JSON.stringify(name)}`;
    throw fail("invalid_value", text);
  }
  if (unsupportedTypes.includes(number)) {
    const text = `${JSON.stringify(name)} excludes vhost-user`;
    throw fail("conflicting_options", text);
  }
  return number;
}

/** Without a zero in front, which could mean an octal number. */
function numberOf(name: string): number | undefined {
  const exact = /^[1-9]/.test(name) ? exactUnsigned(name, 32) : undefined;
  return exact === undefined ? undefined : Number(exact);
}
