/** `--restore`. */
import type { RestoreConfig } from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { integer, pairs, toDescriptor, truncatedIntegers } from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { choice, i32, toggle, u32 } from "./values.ts";

const always = {
  source_url: text,
  prefault: toggle,
  memory_restore_mode: choice({ copy: "Copy", ondemand: "OnDemand" }),
  net_fds: pairs(text, truncatedIntegers(toDescriptor)),
  resume: toggle,
} as const;

const later = {
  vfio_fds: pairs(text, integer(64)),
  iommufd_fd: i32,
  zone_updates: pairs(text, u32),
} as const;

const restoreOptions = { ...always, ...later } as const;

export function parseRestore(value: FlagValue): RestoreConfig {
  const isLater = value.program.knowsSince("v54.0");
  const list = new OptionList(value, isLater ? restoreOptions : always);
  const { source_url: readUrl, ...others } = restoreOptions;
  const { source_url } = list.read({ source_url: readUrl });
  const url = list.require("source_url", source_url);
  const { net_fds, vfio_fds, zone_updates, ...rest } = list.read(others);
  return given({
    source_url: url,
    ...rest,
    net_fds: net_fds?.map(([id, fds]) => ({ id, num_fds: fds.length, fds })),
    vfio_fds: vfio_fds?.map(([id, fd]) => ({ id, fd: toDescriptor(fd) })),
    zone_updates: zone_updates?.map(([id, host_numa_node]) => ({
      id,
      host_numa_node,
    })),
  });
}
