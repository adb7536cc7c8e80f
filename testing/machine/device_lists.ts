/** The lists of devices and the ids of a configuration. */
import type { Config, Device } from "../../src/schema/config.ts";

/** A parsed body: options that were null are absent. */
export type Given<T> = { [key in keyof T]: Exclude<T[key], null> };

/** The lists of devices, by the operation that adds to each. */
export const deviceLists = {
  "vm.add-device": "devices",
  "vm.add-disk": "disks",
  "vm.add-fs": "fs",
  "vm.add-generic-vhost-user": "generic_vhost_user",
  "vm.add-net": "net",
  "vm.add-pmem": "pmem",
  "vm.add-user-device": "user_devices",
  "vm.add-vdpa": "vdpa",
} as const;

/** The key of a list of devices. */
export type DeviceList = (typeof deviceLists)[keyof typeof deviceLists];

/** Returns the devices of a list. */
export function devicesOf(config: Config, list: DeviceList): Device[] {
  return (config[list] ?? []) as Device[];
}

/** Adds a device to a list of the configuration. */
export function addDevice(
  config: Config,
  list: DeviceList,
  device: Device,
): void {
  const lists = config as Partial<Record<DeviceList, Device[]>>;
  (lists[list] ??= []).push(device);
}

/** Removes a device from the configuration. Returns false if it is not there. */
export function removeDevice(config: Config, id: string): boolean {
  let removed = false;
  for (const list of Object.values(deviceLists)) {
    const devices = devicesOf(config, list);
    const kept = devices.filter((device) => device.id !== id);
    if (kept.length === devices.length) continue;
    Object.assign(config, { [list]: kept });
    removed = true;
  }
  if (config.vsock?.id === id) {
    delete config.vsock;
    removed = true;
  }
  return removed;
}

/** Converts a byte count for JSON. */
export function bytes(count: bigint): number | bigint {
  return count <= Number.MAX_SAFE_INTEGER ? Number(count) : count;
}

/** Returns all ids of a configuration, those of memory zones included. */
export function idsOf(config: Config): Set<string> {
  const ids = new Set<string>();
  const add = (items: readonly { id?: string }[] | undefined) => {
    for (const { id } of items ?? []) if (id !== undefined) ids.add(id);
  };
  add(config.rate_limit_groups);
  add(config.disks);
  add(config.net);
  add(config.fs);
  add(config.generic_vhost_user);
  add(config.pmem);
  add(config.devices);
  add(config.user_devices);
  add(config.vdpa);
  add(config.memory.zones);
  if (config.vsock !== undefined) add([config.vsock]);
  return ids;
}
