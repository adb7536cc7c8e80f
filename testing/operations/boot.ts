/** From a configuration to a VM that runs, and what a failure leaves behind. */
import type { VmConfig } from "../../src/generated/types.gen.ts";
import type { Config, Device } from "../../src/schema/config.ts";
import { type DeviceList, devicesOf } from "../machine/config.ts";
import { openConsoles } from "../machine/consoles.ts";
import type { DeviceKind } from "../machine/device_kind.ts";
import { lockImage } from "../machine/host.ts";
import { Instance } from "../machine/instance.ts";
import type { PciLocation } from "../machine/live_device.ts";
import type { Machine } from "../machine/machine.ts";
import { createDevice, mappedBytes } from "../machine/create_device.ts";
import { loadPayload, openInitramfs } from "../machine/payload.ts";
import {
  deviceManagerError,
  memoryManagerError,
  VmmError,
} from "../machine/vmm_error.ts";
import { memoryViolations } from "../../src/schema/rules/memory.ts";
import { unbuildableNodes } from "../../src/schema/rules/numa.ts";
import { firstChain, validate } from "../machine/validate.ts";

/** Stores a configuration; nothing is checked, and nothing is built. */
export function create(machine: Machine, body: VmConfig): void {
  const config = body as Config;
  // What came as JSON is no descriptor; only `platform` keeps the mark.
  for (const net of config.net ?? []) delete net.fds;
  for (const device of config.devices ?? []) delete device.fd;
  if (machine.release.macAt === "parse") giveMacs(machine, config);
  machine.config = config;
  openConsoles(machine, config);
}

export function boot(machine: Machine): void {
  machine.emit("booting");
  if (!machine.consolesOpen) openConsoles(machine, machine.stored);
  const instance = build(machine, machine.stored);
  machine.instance = instance;
  start(machine, instance);
  machine.emit("booted");
  machine.guest.start();
}

/** Ends the VM and boots it again; a failure leaves none. */
export function reboot(machine: Machine): void {
  machine.emit("rebooting");
  const config = machine.stored;
  machine.owned.devices.release();
  machine.instance = undefined;
  openConsoles(machine, config);
  const instance = build(machine, config);
  try {
    start(machine, instance);
  } catch (error) {
    instance.devices.release();
    throw error;
  }
  machine.instance = instance;
  machine.emit("rebooted");
}

/** The lists in the order in which their devices are made. */
const early: readonly (readonly [DeviceList, DeviceKind])[] = [
  ["disks", "block"],
  ["net", "net"],
];
const late: readonly (readonly [DeviceList, DeviceKind])[] = [
  ["generic_vhost_user", "generic"],
  ["fs", "fs"],
  ["pmem", "pmem"],
];

/**
 * A VM with its devices, not started.
 *
 * @param saved The addresses of devices in a snapshot, by id.
 */
export function build(
  machine: Machine,
  config: Config,
  saved?: ReadonlyMap<string, PciLocation>,
): Instance {
  const problem = firstChain(memoryViolations(config.memory));
  if (problem !== undefined) throw memoryManagerError(...problem);
  validate(machine.release, config, machine.parts.host);
  if (firstChain(unbuildableNodes(config)) !== undefined) {
    throw new VmmError("failed", "Invalid NUMA configuration");
  }
  const instance = new Instance(machine.release, config, saved);
  try {
    addDevices(machine, config, instance);
    openInitramfs(machine.parts.host, config);
  } catch (error) {
    instance.devices.release();
    throw error;
  }
  return instance;
}

/** Makes all devices, then gives them their places on the bus. */
function addDevices(machine: Machine, config: Config, instance: Instance) {
  const { devices } = instance;
  const virtio: [DeviceKind, Device][] = [];
  const lists = (rows: typeof early) => {
    for (const [list, kind] of rows) makeList(list, kind);
  };
  const single = (id: string, kind: DeviceKind, config: Device | undefined) => {
    if (config !== undefined) virtio.push([kind, { id, ...config }]);
  };
  /** A list that fails is gone from the configuration. */
  const makeList = (list: DeviceList, kind: DeviceKind) => {
    const all = config[list];
    delete config[list];
    for (const device of (all ?? []) as Device[]) {
      createDevice(machine, devices, kind, device);
      virtio.push([kind, device]);
    }
    if (all !== undefined) Object.assign(config, { [list]: all });
  };

  devices.addPlain("__ioapic");
  if (config.serial.mode !== "Off") devices.addPlain("__serial");
  const { console, debug_console } = config;
  if (["File", "Tty"].includes(debug_console.mode)) {
    devices.addPlain("__debug_console");
  }
  if (console.mode !== "Off") single("__console", "console", console);
  lists(early);
  single("__rng", "rng", config.rng);
  lists(late);
  makeVsock(machine, config, instance, virtio);
  for (const id of memoryDevices(config)) {
    single(id, "mem", { pci_segment: 0 });
  }
  single("__balloon", "balloon", config.balloon);
  if (config.watchdog) single("__watchdog", "watchdog", { pci_segment: 0 });
  makeList("vdpa", "vdpa");
  single("__rtc", "rtc", config.rtc);

  devices.reserve([
    ...virtio.map(([, device]) => device),
    ...devicesOf(config, "devices"),
    ...devicesOf(config, "user_devices"),
  ]);
  for (const [kind, device] of virtio) place(machine, instance, kind, device);
  for (const [list, kind] of plain) {
    makeList(list, kind);
    for (const device of devicesOf(config, list)) {
      place(machine, instance, kind, device);
    }
  }
  if (config.iommu) {
    const iommu = { id: "__iommu", pci_segment: 0 };
    place(machine, instance, "iommu", iommu);
  }
  if (config.pvpanic) {
    const pvpanic = { id: "__pvpanic", pci_segment: 0 };
    place(machine, instance, "pvpanic", pvpanic);
  }
}

const plain: readonly (readonly [DeviceList, DeviceKind])[] = [
  ["devices", "vfio"],
  ["user_devices", "vfio-user"],
];

function makeVsock(
  machine: Machine,
  config: Config,
  { devices }: Instance,
  virtio: [DeviceKind, Device][],
): void {
  const { vsock } = config;
  if (vsock === undefined) return;
  delete config.vsock;
  createDevice(machine, devices, "vsock", vsock);
  virtio.push(["vsock", vsock]);
  config.vsock = vsock;
}

/** The memory zones that virtio-mem serves. */
function memoryDevices({ memory }: Config): string[] {
  if (memory.hotplug_method !== "VirtioMem") return [];
  if (memory.zones === undefined) {
    return memory.hotplug_size === undefined ? [] : ["mem0"];
  }
  return memory.zones.filter(({ hotplug_size }) => hotplug_size !== undefined)
    .map(({ id }) => id);
}

function place(
  machine: Machine,
  { devices }: Instance,
  kind: DeviceKind,
  device: Device,
): void {
  const mapped = mappedBytes(machine, kind, device);
  const live = devices.attach(kind, device, { hotplug: false, mapped });
  machine.guest.activate(live);
}

/** Locks the disks and loads the kernel; a failure leaves it half built. */
function start(machine: Machine, instance: Instance): void {
  lockDisks(machine.stored, instance);
  loadPayload(machine.parts.host, machine.stored);
  instance.state = "Running";
}

/** Takes the lock of every disk image. */
export function lockDisks(config: Config, { devices }: Instance): void {
  for (const { id, path, readonly } of config.disks ?? []) {
    const live = devices.get(id!);
    if (path === undefined || live === undefined) continue;
    const lock = lockImage(path, readonly);
    if (lock === undefined) {
      throw new VmmError(
        "failed",
        "Error locking disk images: Another instance likely holds a lock",
        ...lockFailed(path, readonly).chain.slice(1),
      );
    }
    live.release = lock.release;
  }
}

/** A disk image that another VM holds. */
export function lockFailed(path: string, readonly: boolean): VmmError {
  const kind = readonly ? "Read" : "Write";
  return deviceManagerError(
    "Cannot lock images of all block devices",
    `Failed to get ${kind} lock for disk image: ${path}`,
    "The file is already locked",
  );
}

/** Gives a random address to nets that came without one. */
export function giveMacs({ parts }: Machine, config: Config): void {
  for (const net of config.net ?? []) net.mac ??= parts.host.randomMac();
}
