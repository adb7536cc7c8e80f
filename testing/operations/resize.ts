/** Resizes vCPUs, memory, the balloon and disks. */
import type {
  VmResize,
  VmResizeDisk,
  VmResizeZone,
} from "../../src/generated/types.gen.ts";
import { bytes, type Given } from "../machine/device_lists.ts";
import type { Instance } from "../machine/instance.ts";
import type { Machine } from "../machine/machine.ts";
import { startVcpus } from "../machine/vcpus.ts";
import {
  deviceManagerError,
  memoryManagerError,
  osError,
  unknownDevice,
  VmmError,
} from "../machine/vmm_error.ts";

/** ACPI adds memory in steps of this size. */
const DIMM = 128n << 20n;
/** virtio-mem works in blocks of this size. */
const BLOCK = 2n << 20n;
/** Bytes of a disk's sector. */
const SECTOR = 512n;

/** Resizes a VM. Without a booted VM, only the configuration changes. */
export function resize(machine: Machine, desired: Given<VmResize>): void {
  const { instance } = machine;
  if (instance === undefined) return resizeConfig(machine, desired);
  machine.emit("resizing");
  const { desired_vcpus, desired_ram, desired_balloon } = desired;
  if (desired_vcpus !== undefined) {
    resizeVcpus(machine, instance, desired_vcpus);
  }
  if (desired_ram !== undefined) {
    resizeRam(machine, instance, BigInt(desired_ram));
  }
  if (desired_balloon !== undefined) {
    resizeBalloon(machine, instance, desired_balloon);
  }
  machine.emit("resized");
}

/** Changes the configuration without validating it: the boot does that. */
function resizeConfig({ stored }: Machine, desired: Given<VmResize>): void {
  const { desired_vcpus, desired_ram, desired_balloon } = desired;
  if (desired_vcpus !== undefined) stored.cpus.boot_vcpus = desired_vcpus;
  if (desired_ram !== undefined) stored.memory.size = desired_ram;
  if (desired_balloon !== undefined && stored.balloon !== undefined) {
    stored.balloon.size = desired_balloon;
  }
}

function resizeVcpus(machine: Machine, instance: Instance, to: number): void {
  const { cpus } = machine.stored;
  if (to !== instance.vcpus) {
    if (to < 1) throw cpuManager("Requested zero vCPUs");
    if (instance.vcpusAfter !== undefined) {
      throw new VmmError("busy", "Too Many Requests");
    }
    if (to > cpus.max_vcpus) {
      throw cpuManager("Requested vCPUs exceed maximum");
    }
    // The number falls only when the guest has released vCPUs.
    if (to > instance.vcpus) {
      startVcpus(machine.parts.host, machine.stored, instance.vcpus, to);
      instance.vcpus = to;
    } else {
      instance.vcpusAfter = to;
      machine.guest.removeVcpus();
    }
  }
  cpus.boot_vcpus = to;
}

function resizeRam(machine: Machine, instance: Instance, to: bigint): void {
  const { memory } = machine.stored;
  if (BigInt(memory.size) === 0n || memory.zones !== undefined) {
    throw memoryManagerError(
      "Impossible to resize guest memory if it is backed by user defined " +
        "memory regions",
    );
  }
  if (memory.hotplug_method === "VirtioMem") {
    if (to < instance.bootRam) throw belowBoot(to, instance.bootRam);
    const size = BigInt(memory.size);
    const extra = to - instance.bootRam;
    plug(machine, instance, BigInt(memory.hotplug_size ?? 0), extra);
    if (to > size) memory.hotplugged_size = bytes(to - size);
    else delete memory.hotplugged_size;
  } else {
    if (to > instance.ram) addDimm(instance, to - instance.ram);
    // Less memory is accepted, and takes effect at the next boot.
    memory.size = bytes(to);
  }
}

function addDimm(instance: Instance, size: bigint): void {
  if (instance.memorySlots === 0) {
    throw memoryManagerError("No ACPI slot available");
  }
  if (size % DIMM !== 0n) {
    throw memoryManagerError(
      "The requested hotplug memory addition is not a valid size",
    );
  }
  if (size > instance.hotplugRoom) {
    throw memoryManagerError("Not enough space in the hotplug RAM region");
  }
  instance.memorySlots--;
  instance.hotplugRoom -= size;
  instance.ram += size;
}

/** Offers memory by virtio-mem. The guest decides how much it plugs in. */
function plug(
  machine: Machine,
  instance: Instance,
  room: bigint,
  to: bigint,
): void {
  if (room === 0n) {
    throw memoryManagerError("No virtio-mem resizing handler found");
  }
  const problem = to === instance.offered
    ? `new size ${hex(to)} and requested_size are identical`
    : to > room
    ? `new size ${hex(to)} is bigger than region_size ${hex(room)}`
    : to % BLOCK !== 0n
    ? `new size ${hex(to)} is not aligned on block_size ${hex(BLOCK)}`
    : undefined;
  if (problem !== undefined) {
    throw memoryManagerError(
      "Failed to virtio-mem resize",
      "Resize invalid argument",
      `Failed to update virtio configuration: ResizeError(${problem})`,
    );
  }
  instance.offered = to;
  if (machine.guest.acceptsMemory) instance.plugged = to;
}

function resizeBalloon(
  machine: Machine,
  instance: Instance,
  size: number | bigint,
): void {
  const { balloon } = machine.stored;
  if (balloon === undefined) {
    throw deviceManagerError(
      "Missing virtio-balloon, can't proceed as expected",
    );
  }
  balloon.size = size;
  if (machine.guest.inflatesBalloon) instance.balloon = BigInt(size);
}

/** Resizes the image of a disk. */
export function resizeDisk(
  { owned, stored, parts, release }: Machine,
  { id, desired_size }: VmResizeDisk,
): void {
  const device = owned.devices.get(id);
  const disk = stored.disks?.find((disk) => disk.id === id);
  // A disk of vhost-user is not the VMM's own to size.
  if (device?.kind !== "block" || device.leaving || !disk?.path) {
    throw unknownDevice(id, release);
  }
  const size = BigInt(desired_size);
  if (size % SECTOR !== 0n) {
    throw deviceManagerError(
      "Disk resize error",
      `Disk image size is not a multiple of ${SECTOR}`,
    );
  }
  try {
    parts.host.resize(disk.path, Number(size));
  } catch (error) {
    throw deviceManagerError(
      "Disk resize error",
      "Disk resize failed",
      osError(error),
    );
  }
}

/** Resizes a memory zone. */
export function resizeZone(
  machine: Machine,
  { id, desired_ram }: VmResizeZone,
): void {
  const { instance, stored: { memory } } = machine;
  const zone = memory.zones?.find((zone) => zone.id === id);
  if (zone === undefined) {
    throw new VmmError("failed", "Failed resizing a memory zone");
  }
  if (instance === undefined) {
    zone.size = desired_ram;
    return;
  }
  const to = BigInt(desired_ram);
  const size = BigInt(zone.size);
  if (to < size) throw belowBoot(to, size);
  plug(machine, instance, BigInt(zone.hotplug_size ?? 0), to - size);
  zone.hotplugged_size = bytes(to - size);
}

function belowBoot(to: bigint, boot: bigint): VmmError {
  return memoryManagerError(
    `Invalid resize request: desired_size = ${to} below boot size = ${boot}`,
  );
}

function cpuManager(message: string): VmmError {
  return new VmmError("failed", "Error from CPU manager", message);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
