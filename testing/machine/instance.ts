/** A VM: half-built after a failed boot, running, or paused. */
import type { Config } from "../../src/schema/config.ts";
import { idsOf } from "./device_lists.ts";
import { Devices } from "./devices.ts";
import type { Release } from "../release_type.ts";
import type { PciLocation } from "./live_device.ts";

/** The state from boot to shutdown. */
export class Instance {
  /** `Created` is half-built: the boot failed. */
  state: "Created" | "Running" | "Paused" | "BreakPoint" = "Created";
  readonly devices: Devices;
  /** True while the VMM reads the memory of a snapshot. */
  isFilling = false;
  /** Bytes of RAM at boot, and now. */
  readonly bootRam: bigint;
  ram: bigint;
  vcpus: number;
  /** The number of vCPUs once the guest has released the removed ones. */
  vcpusAfter: number | undefined;
  /** Bytes in the balloon, which the guest cannot use. */
  balloon = 0n;
  /** Bytes that the guest has plugged in by virtio-mem. */
  plugged = 0n;
  /** Bytes that virtio-mem offers. */
  offered = 0n;
  /** Free ACPI slots for memory. */
  memorySlots = 8;
  /** Bytes that can still be added by ACPI. */
  hotplugRoom: bigint;

  constructor(
    release: Release,
    config: Config,
    saved?: ReadonlyMap<string, PciLocation>,
  ) {
    this.devices = new Devices(release, idsOf(config), saved);
    this.bootRam = BigInt(config.memory.size);
    this.ram = this.bootRam;
    this.vcpus = config.cpus.boot_vcpus;
    this.hotplugRoom = BigInt(config.memory.hotplug_size ?? 0);
  }
}
