/** A VM that exists: half built by a failed boot, running, or paused. */
import type { Config } from "../../src/schema/config.ts";
import { idsOf } from "./config.ts";
import { Devices } from "./devices.ts";
import type { Release } from "../release.ts";
import type { PciLocation } from "./device_tree.ts";

/** The part of the VMM that lives from boot to shutdown. */
export class Instance {
  /** `Created` is half built: its boot failed. */
  state: "Created" | "Running" | "Paused" = "Created";
  readonly devices: Devices;
  /** Bytes of RAM at boot, and now. */
  readonly bootRam: bigint;
  ram: bigint;
  vcpus: number;
  /** How many are left once the guest has let go of those to be removed. */
  vcpusAfter: number | undefined;
  /** Bytes in the balloon, which the guest cannot use. */
  balloon = 0n;
  /** Bytes that virtio-mem has plugged in. */
  plugged = 0n;
  /** Bytes that virtio-mem offers. */
  offered = 0n;
  /** ACPI slots for memory that are left. */
  memorySlots = 8;
  /** What the guest may still be given by ACPI. */
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
