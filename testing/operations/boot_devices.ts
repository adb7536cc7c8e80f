/** Creates all devices of a VM, in the order of the real VMM. */
import type { Config, Device } from "../../src/schema/config.ts";
import { type DeviceList, devicesOf } from "../machine/device_lists.ts";
import { createDevice } from "../machine/create_device.ts";
import type { DeviceKind } from "../machine/device_kind.ts";
import { addressBits } from "../machine/guest_memory.ts";
import type { Instance } from "../machine/instance.ts";
import { allocateDebugPort } from "../machine/io_ports.ts";
import type { Machine } from "../machine/machine.ts";
import { mappedBytes } from "../machine/mapped_bytes.ts";
import { createTpm } from "../machine/tpm.ts";
import { virtioMemZones } from "../machine/virtio_mem.ts";
import { deviceManagerError, osError } from "../machine/vmm_error.ts";

type Lists = readonly (readonly [DeviceList, DeviceKind])[];

/** The lists before the random number generator, and those after it. */
const early: Lists = [["disks", "block"], ["net", "net"]];
const late: Lists = [
  ["generic_vhost_user", "generic"],
  ["fs", "fs"],
  ["pmem", "pmem"],
];
const plain: Lists = [["devices", "vfio"], ["user_devices", "vfio-user"]];

/** Creates the devices of a VM, then gives them their slots on the bus. */
export function addDevices(
  machine: Machine,
  config: Config,
  instance: Instance,
): void {
  const { devices } = instance;
  const virtio: [DeviceKind, Device][] = [];
  const add = (kind: DeviceKind, device: Device) => {
    createDevice(machine, devices, kind, device);
    virtio.push([kind, device]);
  };
  const single = (id: string, kind: DeviceKind, config: Device | undefined) => {
    if (config !== undefined) add(kind, { id, ...config });
  };
  addLegacyDevices(machine, config, instance);
  single("__console", "console", consoleOf(config));
  for (const [list, kind] of early) createList(config, list, kind, add);
  single("__rng", "rng", config.rng);
  for (const [list, kind] of late) createList(config, list, kind, add);
  addVsock(config, add);
  for (const id of virtioMemZones(config)) {
    single(id, "mem", { pci_segment: 0 });
  }
  single("__balloon", "balloon", config.balloon);
  if (config.watchdog) single("__watchdog", "watchdog", { pci_segment: 0 });
  createList(config, "vdpa", "vdpa", add);
  single("__rtc", "rtc", config.rtc);

  assertDoorbells(config);
  devices.reserve([
    ...virtio.map(([, device]) => device),
    ...devicesOf(config, "devices"),
    ...devicesOf(config, "user_devices"),
  ]);
  for (const [kind, device] of virtio) attach(machine, instance, kind, device);
  for (const [list, kind] of plain) {
    createList(config, list, kind, (kind, device) => {
      createDevice(machine, devices, kind, device);
      attach(machine, instance, kind, device);
    });
  }
  for (const kind of ["iommu", "pvpanic"] as const) {
    if (!config[kind]) continue;
    attach(machine, instance, kind, { id: `__${kind}`, pci_segment: 0 });
  }
}

function addLegacyDevices(
  { parts }: Machine,
  config: Config,
  { devices }: Instance,
): void {
  const { serial, debug_console } = config;
  devices.addPlain("__ioapic");
  if (serial.mode !== "Off") devices.addPlain("__serial");
  allocateDebugPort(config);
  if (["File", "Tty"].includes(debug_console.mode)) {
    devices.addPlain("__debug_console");
  }
  createTpm(parts.host, config);
}

function consoleOf({ console }: Config): Device | undefined {
  return console.mode === "Off" ? undefined : console;
}

/** Creates the devices of a list. One that fails takes the list with it. */
function createList(
  config: Config,
  list: DeviceList,
  kind: DeviceKind,
  create: (kind: DeviceKind, device: Device) => void,
): void {
  const all = config[list];
  delete config[list];
  for (const device of (all ?? []) as Device[]) create(kind, device);
  if (all !== undefined) Object.assign(config, { [list]: all });
}

function addVsock(
  config: Config,
  add: (kind: DeviceKind, device: Device) => void,
): void {
  const { vsock } = config;
  if (vsock === undefined) return;
  delete config.vsock;
  add("vsock", vsock);
  config.vsock = vsock;
}

/** @throws {VmmError} if the address space is too small for two devices. */
function assertDoorbells(config: Config): void {
  if (addressBits(config) > 15) return;
  throw deviceManagerError(
    "Cannot register ioevent",
    "Failed to register IO event",
    osError({ code: "EEXIST" }),
  );
}

function attach(
  machine: Machine,
  { devices }: Instance,
  kind: DeviceKind,
  device: Device,
): void {
  const mapped = mappedBytes(machine, kind, device);
  const live = devices.attach(kind, device, { hotplug: false, mapped });
  machine.guest.activate(live);
}
