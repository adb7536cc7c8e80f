/** The devices of a VM: their ids, and their slots on the PCI bus. */
import type { DeviceNode } from "../../src/generated/types.gen.ts";
import type { Device } from "../../src/schema/config.ts";
import { freshCounters } from "./counters.ts";
import { deviceManagerError, unknownDevice } from "./vmm_error.ts";
import type { Release } from "../release_type.ts";
import { type DeviceKind, isPlainPci } from "./device_kind.ts";
import { treeOf, WRAPPER } from "./device_tree.ts";
import { Holds } from "./holds.ts";
import type { LiveDevice, PciLocation } from "./live_device.ts";

/** The prefixes of generated ids, by kind. */
const prefixes: { readonly [kind in DeviceKind]?: string } = {
  block: "_disk",
  net: "_net",
  fs: "_fs",
  generic: "_generic_vhost_user",
  pmem: "_pmem",
  vdpa: "_vdpa",
  vsock: "_vsock",
  vfio: "_vfio",
  "vfio-user": "_vfio_user",
};

/** The kinds that can be removed. */
const removable: readonly DeviceKind[] = [
  "net",
  "block",
  "pmem",
  "fs",
  "vsock",
  "vfio",
  "vfio-user",
];

const SLOTS = 32;

/** The devices of a VM. */
export class Devices {
  readonly holds: Holds = new Holds();
  readonly #live = new Map<string, LiveDevice>();
  /** Nodes that are not on the bus, with the bytes that they map. */
  readonly #plain = new Map<string, bigint | undefined>();
  /** Ids of the configuration, which no generated id can take. */
  readonly #reserved: ReadonlySet<string>;
  /** Slots that the configuration names, by segment. */
  readonly #taken = new Map<number, Set<number>>();
  /** The locations of devices in a snapshot, by id. */
  readonly #saved: ReadonlyMap<string, PciLocation>;
  #count = 0;

  readonly #release: Release;

  constructor(
    release: Release,
    reserved: ReadonlySet<string>,
    saved: ReadonlyMap<string, PciLocation> = new Map(),
  ) {
    this.#release = release;
    this.#reserved = reserved;
    this.#saved = saved;
  }

  /** The devices on the bus, oldest first. */
  get all(): readonly LiveDevice[] {
    return [...this.#live.values()];
  }

  get(id: string): LiveDevice | undefined {
    return this.#live.get(id);
  }

  /** Returns whether the device tree has a node. */
  has(id: string): boolean {
    return this.#live.has(id) || this.#plain.has(id) ||
      id.startsWith(WRAPPER) && this.#wrapped(id) !== undefined;
  }

  /** Adds a node that is not on the bus. */
  addPlain(id: string, mapped?: bigint): void {
    this.#plain.set(id, mapped);
  }

  /** Reserves the slots that devices ask for. */
  reserve(devices: readonly Device[]): void {
    for (const { pci_segment = 0, pci_device_id } of devices) {
      if (pci_device_id === undefined) continue;
      this.#claim(
        "Could not reserve the PCI device ID",
        pci_segment,
        pci_device_id,
      );
    }
  }

  /** Returns the id of a device, and generates it if there is none. */
  name(kind: DeviceKind, device: Device): string {
    const prefix = prefixes[kind];
    while (device.id === undefined && prefix !== undefined) {
      const id = `${prefix}${this.#count++}`;
      if (!this.#reserved.has(id) && !this.has(id)) device.id = id;
    }
    return device.id!;
  }

  /** Puts a device on the bus. */
  attach(
    kind: DeviceKind,
    device: Device,
    options: {
      hotplug: boolean;
      mapped?: bigint | undefined;
    },
  ): LiveDevice {
    const id = device.id!;
    const segment = device.pci_segment ?? 0;
    const saved = this.#savedSlot(id);
    const wanted = device.pci_device_id ?? saved;
    // The slot of a device from a snapshot may have gone to an additional one.
    const isReserved = device.pci_device_id !== undefined && !options.hotplug;
    if (wanted !== undefined && !isReserved) {
      this.#claim(NO_SLOT, segment, wanted);
    }
    const slot = wanted ?? this.#freeSlot(segment);
    this.#slots(segment).add(slot);
    const live: LiveDevice = {
      id,
      kind,
      segment,
      slot,
      bdf: bdfOf(segment, slot),
      counters: freshCounters(kind),
      low: this.#saved.get(id)?.low ??
        (kind === "pvpanic" ||
          kind === "block" && segment === 0 &&
            (!options.hotplug || this.#release.hotplugsLow)),
      mapped: options.mapped,
      behindIommu: !options.hotplug && device.iommu === true,
      leaving: false,
    };
    this.#live.set(id, live);
    return live;
  }

  /** @throws {VmmError} if an id is taken or reserved. */
  checkId(id: string | undefined): void {
    if (id === undefined) return;
    if (id.startsWith("__")) {
      throw deviceManagerError(`Invalid identifier: ${id}`);
    }
    if (!this.has(id)) return;
    throw deviceManagerError(`Invalid identifier as it is not unique: ${id}`);
  }

  /**
   * Returns the device of an id or of a PCI node.
   *
   * @param guard Throws if the release does not let the device be removed.
   * @throws {VmmError} if the device cannot be removed.
   */
  remove(id: string, guard: (device: LiveDevice) => void): LiveDevice {
    const live = this.#live.get(id) ?? this.#wrapped(id);
    if (live === undefined || live.kind === "pvpanic") {
      if (!this.has(id)) throw unknownDevice(id, this.#release);
      throw deviceManagerError("Could not find the node in the device tree");
    }
    guard(live);
    if (live.kind !== "vdpa" && !removable.includes(live.kind)) {
      const type = live.kind === "generic" ? "UNKNOWN" : live.kind;
      throw deviceManagerError(
        `Not allowed to remove this type of device from the VM: ${type}`,
      );
    }
    return live;
  }

  /** Removes a device that the guest has released; its slot and id are free. */
  eject(id: string): LiveDevice | undefined {
    const live = this.#live.get(id);
    if (live === undefined) return undefined;
    this.#live.delete(id);
    this.#slots(live.segment).delete(live.slot);
    this.holds.free(id);
    return live;
  }

  /** Returns the device tree of `vm.info`. */
  tree(): Record<string, DeviceNode> {
    return treeOf(this.#plain, this.all);
  }

  #wrapped(id: string): LiveDevice | undefined {
    const live = this.#live.get(id.slice(WRAPPER.length));
    return live !== undefined && !isPlainPci(live.kind) ? live : undefined;
  }

  #slots(segment: number): Set<number> {
    const bridged = segment === 0 || this.#release.reservedDeviceOn === "every";
    const slots = this.#taken.get(segment) ?? new Set(bridged ? [0] : []);
    this.#taken.set(segment, slots);
    return slots;
  }

  #savedSlot(id: string): number | undefined {
    const bdf = this.#saved.get(id)?.bdf;
    return bdf === undefined ? undefined : parseInt(bdf.split(":")[2]!, 16);
  }

  #claim(failure: string, segment: number, slot: number): void {
    const slots = this.#slots(segment);
    if (slots.has(slot)) {
      throw deviceManagerError(
        failure,
        `Valid PCI device identifier but already used: ${slot}`,
      );
    }
    slots.add(slot);
  }

  #freeSlot(segment: number): number {
    const slots = this.#slots(segment);
    for (let slot = 0; slot < SLOTS; slot++) if (!slots.has(slot)) return slot;
    throw deviceManagerError(
      NO_SLOT,
      "Could not find an available device slot on the PCI bus",
    );
  }
}

const NO_SLOT = "Failed to find an available PCI device ID";
function bdfOf(segment: number, slot: number): string {
  const part = (value: number, width: number) =>
    value.toString(16).padStart(width, "0");
  return `${part(segment, 4)}:00:${part(slot, 2)}.0`;
}
