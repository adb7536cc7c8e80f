/** `--disk`, `--pmem` and `--rate-limit-group`. */
import type {
  DiskConfig,
  ImageType,
  PmemConfig,
  RateLimitGroupConfig,
} from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { integers, pairs } from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { type Reader, reader, text } from "./reader.ts";
import { limiter, limiterOf, optionalLimiterOf, pci } from "./shared.ts";
import { byteSize, choice, count, exactChoice, toggle, u16 } from "./values.ts";

const imageTypes = {
  vhd: "FixedVhd",
  qcow2: "Qcow2",
  raw: "Raw",
  vhdx: "Vhdx",
} as const;

const earlier = choice(imageTypes);
const later = choice({ ...imageTypes, vmdk: "FlatVmdk" });

const imageType: Reader<ImageType> = reader(
  later.expects,
  (value, program) =>
    (program.knowsSince("v54.0") ? later : earlier)(value, program),
);

const diskOnly = {
  path: text,
  readonly: toggle,
  direct: toggle,
  queue_size: u16,
  num_queues: count,
  vhost_user: toggle,
  socket: text,
  _disable_io_uring: toggle,
  _disable_aio: toggle,
  rate_limit_group: text,
  serial: text,
  queue_affinity: pairs(u16, integers(64)),
  backing_files: toggle,
  image_type: imageType,
  lock_granularity: exactChoice({ "byte-range": "ByteRange", full: "Full" }),
  sparse: toggle,
} as const;

const diskOptions = { ...diskOnly, ...limiter, ...pci } as const;

export function parseDisk(value: FlagValue): DiskConfig {
  const list = new OptionList(value, diskOptions);
  const { image_type, ...others } = diskOnly;
  const {
    socket,
    _disable_io_uring,
    _disable_aio,
    queue_affinity,
    ...rest
  } = list.read(others);
  return given({
    ...rest,
    // Of a vhost-user disk, the program does not look at the type.
    ...socket === undefined && list.read({ image_type }),
    vhost_socket: socket,
    disable_io_uring: _disable_io_uring,
    disable_aio: _disable_aio,
    queue_affinity: queue_affinity?.map(([queue_index, host_cpus]) => ({
      queue_index,
      host_cpus,
    })),
    rate_limiter_config: optionalLimiterOf(list.read(limiter)),
    ...list.read(pci),
  });
}

const pmemOptions = {
  ...pci,
  file: text,
  size: byteSize,
  discard_writes: toggle,
} as const;

export function parsePmem(value: FlagValue): PmemConfig {
  const list = new OptionList(value, pmemOptions);
  const { size, discard_writes, ...first } = pmemOptions;
  const { file, ...rest } = list.read(first);
  return given({
    file: list.require("file", file),
    ...rest,
    ...list.read({ size, discard_writes }),
  });
}

const rateLimitGroupOptions = { id: text, ...limiter } as const;

export function parseRateLimitGroup(value: FlagValue): RateLimitGroupConfig {
  const list = new OptionList(value, rateLimitGroupOptions);
  return {
    ...list.read({ id: text }),
    rate_limiter_config: limiterOf(list.read(limiter)),
  };
}
