/** `--memory` and `--memory-zone`. */
import type { MemoryConfig, MemoryZoneConfig } from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { byteSize, choice, toggle, u32 } from "./values.ts";

/** The size of the RAM and of each zone if none is given: 512 MiB. */
const DEFAULT_SIZE = 512 << 20;

const memoryOptions = {
  size: byteSize,
  // The program knows the option, and ignores it.
  file: text,
  mergeable: toggle,
  hotplug_method: choice({ acpi: "Acpi", "virtio-mem": "VirtioMem" }),
  hotplug_size: byteSize,
  hotplugged_size: byteSize,
  shared: toggle,
  hugepages: toggle,
  hugepage_size: byteSize,
  prefault: toggle,
  reserve: toggle,
  thp: toggle,
} as const;

const zoneOptions = {
  id: text,
  size: byteSize,
  file: text,
  shared: toggle,
  hugepages: toggle,
  hugepage_size: byteSize,
  host_numa_node: u32,
  hotplug_size: byteSize,
  hotplugged_size: byteSize,
  prefault: toggle,
  reserve: toggle,
  mergeable: toggle,
} as const;

/** The RAM, or undefined where neither flag is given. */
export function parseMemory(
  value: FlagValue | undefined,
  zones: readonly FlagValue[] | undefined,
): MemoryConfig | undefined {
  if (value === undefined && zones === undefined) return undefined;
  const { file: _, size = DEFAULT_SIZE, ...rest } = value === undefined
    ? {}
    : new OptionList(value, memoryOptions).read(memoryOptions);
  return given({
    size,
    ...rest,
    zones: zones?.map((zone) => parseZone(zone, rest.mergeable)),
  });
}

function parseZone(
  value: FlagValue,
  mergeableMemory: boolean | undefined,
): MemoryZoneConfig {
  const list = new OptionList(value, zoneOptions);
  const { id, ...others } = zoneOptions;
  const name = list.require("id", list.read({ id }).id);
  const { size = DEFAULT_SIZE, ...rest } = list.read(others);
  return given({ id: name, size, mergeable: mergeableMemory, ...rest });
}
