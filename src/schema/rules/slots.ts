/** The slots of the PCI bus: each holds one device. */
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

const SLOTS = 32;

/** A device on the bus. */
interface Occupant {
  /** The path of the device in the configuration. */
  readonly path: string;
  readonly segment: number;
  /** The slot that the configuration asks for. */
  readonly slot?: number | undefined;
}

/** Slots that two devices ask for, and segments with too many devices. */
export function* slotViolations(config: Config): Generator<Violation> {
  const owners = new Map<string, string>();
  const counts = new Map<number, number>();
  for (const { path, segment, slot } of occupants(config)) {
    const count = (counts.get(segment) ?? 0) + 1;
    counts.set(segment, count);
    // The host bridge has slot 0 of the first segment.
    const room = segment === 0 ? SLOTS - 1 : SLOTS;
    if (count === room + 1) {
      const message = "Could not find an available device slot on the PCI bus";
      const advice = `segment ${segment} has room for ${room} devices: set ` +
        '"pci_segment", and raise "platform.num_pci_segments"';
      yield violation(path, message, { advice });
    }
    if (slot === undefined || slot >= SLOTS) continue;
    const owner = owners.get(`${segment}:${slot}`);
    if (owner === undefined) {
      owners.set(`${segment}:${slot}`, path);
      continue;
    }
    const message = `Valid PCI device identifier but already used: ${slot}`;
    const advice = `"${owner}" has this slot`;
    yield violation(`${path}.pci_device_id`, message, { advice });
  }
}

/** Devices that are in lists. */
const LISTS = [
  "disks",
  "net",
  "generic_vhost_user",
  "fs",
  "pmem",
  "vdpa",
  "devices",
  "user_devices",
] as const;

/** Devices with an entry of their own. */
const SINGLE = ["rng", "vsock", "balloon", "rtc", "ivshmem"] as const;

function* occupants(config: Config): Generator<Occupant> {
  if (config.console.mode !== "Off") yield at("console", config.console);
  for (const key of SINGLE) {
    const device = config[key];
    if (device !== undefined) yield at(key, device);
  }
  if (config.memory.hotplug_method === "VirtioMem") {
    const { zones, hotplug_size } = config.memory;
    const sizes = zones?.map(({ hotplug_size }) => hotplug_size) ??
      [hotplug_size];
    for (const size of sizes) {
      if (size !== undefined) yield { path: "memory", segment: 0 };
    }
  }
  for (const key of ["watchdog", "pvpanic"] as const) {
    if (config[key]) yield { path: key, segment: 0 };
  }
  if (hasIommu(config)) yield { path: "iommu", segment: 0 };
  for (const key of LISTS) {
    const devices: readonly Place[] = config[key] ?? [];
    for (const [index, device] of devices.entries()) {
      yield at(`${key}[${index}]`, device);
    }
  }
}

/** The place of a device on the bus. */
interface Place {
  pci_segment?: number;
  pci_device_id?: number;
  iommu?: boolean;
}

function at(path: string, { pci_segment, pci_device_id }: Place): Occupant {
  return { path, segment: pci_segment ?? 0, slot: pci_device_id };
}

/** True if any device makes the VMM add a virtual IOMMU. */
function hasIommu(config: Config): boolean {
  const keys = [...LISTS, ...SINGLE, "console"] as const;
  return config.iommu || config.platform?.iommu_segments !== undefined ||
    keys.some((key) =>
      [config[key] ?? []].flat()
        .some((device) => (device as Place).iommu === true)
    );
}
