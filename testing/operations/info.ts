/** The responses about the VMM and its VM. */
import type { VmmPingResponse } from "../../src/generated/types.gen.ts";
import {
  type Config,
  hotpluggedRam,
  totalRam,
} from "../../src/schema/config.ts";
import { bytes } from "../machine/device_lists.ts";
import { withNulls } from "../machine/device_tree.ts";
import type { Counters } from "../machine/counters.ts";
import type { Machine } from "../machine/machine.ts";
import { render } from "../serde/serialize.ts";
import process from "node:process";

/** Returns the data of `vmm.ping`. */
export function ping({ release }: Machine): VmmPingResponse {
  return {
    build_version: release.buildVersion,
    version: release.version,
    pid: process.pid,
    features: [...release.features],
  };
}

/** Returns the data of `vm.info`. */
export function info(machine: Machine): unknown {
  if (machine.outgoing !== undefined) return machine.outgoing.info;
  const config = machine.stored;
  const { instance } = machine;
  return {
    config: shown(machine, config),
    state: instance?.state ?? "Created",
    memory_actual_size: bytes(actualRam(machine, config)),
    ...treeOf(machine),
  };
}

/** The device tree, which a VM has from its boot on. */
function treeOf({ instance, release }: Machine): { device_tree?: unknown } {
  const tree = instance?.devices.tree();
  if (!release.writes.includes("null")) {
    return tree ? { device_tree: tree } : {};
  }
  return { device_tree: tree ? withNulls(tree) : null };
}

/** Formats a configuration for `vm.info` and for `config.json`. */
export function shown({ release }: Machine, config: Config): unknown {
  return render(release, "VmConfig", config);
}

/** Returns the counters of disks and net devices, by id. */
export function counters({ owned }: Machine): Record<string, Counters> {
  const all: Record<string, Counters> = {};
  for (const { id, counters } of owned.devices.all) {
    if (counters !== undefined) all[id] = counters;
  }
  return all;
}

function actualRam({ instance }: Machine, { memory }: Config): bigint {
  const base = totalRam(memory) - hotpluggedRam(memory);
  if (instance === undefined) return base;
  const left = base > instance.balloon ? base - instance.balloon : 0n;
  return left + instance.plugged;
}
