/** Adds and removes devices. */
import type {
  DiskConfig,
  PciDeviceInfo,
  VmRemoveDevice,
  VsockConfig,
} from "../../src/generated/types.gen.ts";
import type { Config, Device } from "../../src/schema/config.ts";
import {
  addDevice,
  type DeviceList,
  removeDevice,
} from "../machine/device_lists.ts";
import type { Devices } from "../machine/devices.ts";
import type { DeviceKind } from "../machine/device_kind.ts";
import { lockImage } from "../machine/image_lock.ts";
import type { LiveDevice } from "../machine/live_device.ts";
import { stateError } from "../machine/state_error.ts";
import type { Machine } from "../machine/machine.ts";
import { createDevice } from "../machine/create_device.ts";
import { mappedBytes } from "../machine/mapped_bytes.ts";
import {
  deviceManagerError,
  unknownDevice,
  VmmError,
} from "../machine/vmm_error.ts";
import { validate } from "../machine/validate.ts";
import { lockFailed } from "./boot.ts";

type Add = (machine: Machine, device: Device) => PciDeviceInfo | undefined;

/** Returns an operation that adds a device to a list. */
export function addTo(list: DeviceList, kind: DeviceKind): Add {
  return (machine, device) => {
    const extra = device as { fds?: unknown; fd?: unknown };
    delete extra.fds;
    delete extra.fd;
    if (list === "net" && machine.release.macAt === "parse") {
      const net = device as { mac?: string };
      net.mac ??= machine.parts.host.randomMac();
    }
    const add = (config: Config) => addDevice(config, list, device);
    check(machine, add);
    return hotplug(machine, kind, device, add);
  };
}

const toDisks: Add = addTo("disks", "block");

export function addDisk(
  machine: Machine,
  disk: DiskConfig,
): PciDeviceInfo | undefined {
  return toDisks(machine, disk as Device);
}

/** Adds the only vsock device. */
export function addVsock(
  machine: Machine,
  vsock: VsockConfig,
): PciDeviceInfo | undefined {
  if (machine.stored.vsock !== undefined) {
    throw new VmmError("failed", "Too many virtio-vsock devices");
  }
  const device = vsock as Config["vsock"] & Device;
  const add = (config: Config) => config.vsock = device;
  check(machine, add);
  return hotplug(machine, "vsock", device, add);
}

/** Validates the configuration with the new device. */
function check(
  { release, parts, stored }: Machine,
  add: (config: Config) => void,
): void {
  const config = structuredClone(stored);
  add(config);
  validate(release, config, parts.host);
}

function hotplug(
  machine: Machine,
  kind: DeviceKind,
  device: Device,
  add: (config: Config) => void,
): PciDeviceInfo | undefined {
  const { instance, stored } = machine;
  if (machine.outgoing !== undefined) throw stateError("migrating");
  if (instance === undefined) {
    add(stored);
    return undefined;
  }
  const { devices } = instance;
  devices.checkId(device.id);
  if (device.iommu && !isIommuSegment(stored, device.pci_segment ?? 0)) {
    throw deviceManagerError("Cannot hotplug device behind vIOMMU");
  }
  createDevice(machine, devices, kind, device);
  if (kind === "block") lock(devices, device as Disk);
  const mapped = mappedBytes(machine, kind, device);
  const live = attach(devices, kind, device, mapped);
  add(stored);
  machine.guest.activate(live);
  return { id: live.id, bdf: live.bdf };
}

/** Puts a device on the bus. Without a free slot, it stays in the tree. */
function attach(
  devices: Devices,
  kind: DeviceKind,
  device: Device,
  mapped: bigint | undefined,
): LiveDevice {
  try {
    return devices.attach(kind, device, { hotplug: true, mapped });
  } catch (error) {
    devices.addPlain(device.id!, mapped);
    throw error;
  }
}

type Disk = Device & { path?: string; readonly: boolean };

/** Locks an image. The lock lasts as long as the VM, also after a failure. */
function lock(devices: Devices, { id, path, readonly }: Disk): void {
  if (path === undefined) return;
  const lock = lockImage(path, readonly);
  if (lock === undefined) throw lockFailed(path, readonly);
  devices.holds.addLock(id!, lock.release);
}

/** Requests the removal of a device, which the guest releases later. */
export function remove(machine: Machine, { id }: VmRemoveDevice): void {
  const { instance, stored, release } = machine;
  if (instance === undefined) {
    if (removeDevice(stored, id)) return;
    throw new VmmError(
      "unknown",
      `No device with id ${JSON.stringify(id)} to remove`,
    );
  }
  const live = instance.devices.remove(id, (device) => {
    const guarded = !release.removesBehindIommu && device.behindIommu;
    if (!guarded || isIommuSegment(stored, device.segment)) return;
    throw deviceManagerError(
      `Cannot remove device from behind vIOMMU: bdf=${device.bdf}`,
    );
  });
  const known = removeDevice(stored, id);
  if (!known && release.removesOnce) throw unknownDevice(id, release);
  live.leaving = true;
  machine.guest.removeDevice(live);
}

function isIommuSegment({ platform }: Config, segment: number): boolean {
  return platform?.iommu_segments?.includes(segment) ?? false;
}
