/** From a configuration to a VM that runs. */
import type { VmConfig } from "../../src/generated/types.gen.ts";
import type { Config } from "../../src/schema/config.ts";
import { unbuildableNodes } from "../../src/schema/rules/numa.ts";
import { closeConsoles, openConsoles } from "../machine/consoles.ts";
import {
  allocateMemory,
  assertAddressSpace,
  touchMemory,
} from "../machine/guest_memory.ts";
import { lockImage } from "../machine/image_lock.ts";
import { Instance } from "../machine/instance.ts";
import { applyLandlock } from "../machine/landlock.ts";
import type { PciLocation } from "../machine/live_device.ts";
import type { Machine } from "../machine/machine.ts";
import {
  configureSystem,
  loadPayload,
  openInitramfs,
  writeAcpiTables,
} from "../machine/payload.ts";
import { firstChain, validate } from "../machine/validate.ts";
import { assertTopology, startVcpus } from "../machine/vcpus.ts";
import { deviceManagerError, VmmError } from "../machine/vmm_error.ts";
import { addDevices } from "./boot_devices.ts";

/** Stores a configuration, without validating or building anything. */
export function create(machine: Machine, body: VmConfig): void {
  const config = body as Config;
  // No request can carry descriptors; only `platform` keeps their mark.
  for (const net of config.net ?? []) delete net.fds;
  for (const device of config.devices ?? []) delete device.fd;
  if (machine.release.macAt === "parse") giveMacs(machine, config);
  machine.config = config;
  openConsoles(machine, config);
  applyLandlock(config);
}

/** Boots the VM. A failure at the start leaves a half-built VM. */
export function boot(machine: Machine): void {
  machine.emit("booting");
  if (!machine.consolesOpen) openConsoles(machine, machine.stored);
  const instance = build(machine, machine.stored);
  machine.instance = instance;
  start(machine, instance);
  machine.emit("booted");
  machine.guest.start();
}

/** Ends the VM and boots it again. A failure leaves no VM. */
export function reboot(machine: Machine): void {
  machine.emit("rebooting");
  const config = machine.stored;
  end(machine);
  openConsoles(machine, config);
  const instance = build(machine, config);
  try {
    start(machine, instance);
  } catch (error) {
    instance.devices.holds.freeAll();
    throw error;
  }
  machine.instance = instance;
  machine.emit("rebooted");
  machine.guest.start();
}

/**
 * Ends the VM, and frees its devices.
 *
 * @throws {VmmError} at a breakpoint; the VM is gone all the same.
 */
export function end(machine: Machine): void {
  const { state, devices } = machine.owned;
  devices.holds.freeAll();
  machine.instance = undefined;
  machine.guest.end();
  closeConsoles(machine);
  if (state !== "BreakPoint") return;
  const message = "invalid VM state transition: BreakPoint to Shutdown";
  throw new VmmError("failed", message);
}

/**
 * Builds a VM with its devices, without starting it.
 *
 * @param saved The locations of devices in a snapshot, by id.
 */
export function build(
  machine: Machine,
  config: Config,
  saved?: ReadonlyMap<string, PciLocation>,
): Instance {
  const { release, parts: { host } } = machine;
  assertTopology(config);
  allocateMemory(host, config);
  validate(release, config, host);
  if (firstChain(unbuildableNodes(config)) !== undefined) {
    throw new VmmError("failed", "Invalid NUMA configuration");
  }
  assertAddressSpace(config);
  const instance = new Instance(release, config, saved);
  try {
    addDevices(machine, config, instance);
    openInitramfs(host, config);
  } catch (error) {
    instance.devices.holds.freeAll();
    throw error;
  }
  return instance;
}

/** Starts a VM. A failure leaves it half-built. */
function start(machine: Machine, instance: Instance): void {
  const { stored, release, parts: { host } } = machine;
  lockDisks(stored, instance);
  touchMemory(host, stored);
  writeAcpiTables(host, release, stored);
  loadPayload(host, stored);
  configureSystem(host, stored);
  startVcpus(host, stored, 0, stored.cpus.boot_vcpus);
  instance.state = stored.gdb ? "BreakPoint" : "Running";
}

/** Takes the lock of every disk image. */
export function lockDisks(config: Config, { devices }: Instance): void {
  for (const { id, path, readonly } of config.disks ?? []) {
    if (path === undefined || devices.get(id!) === undefined) continue;
    const lock = lockImage(path, readonly);
    if (lock === undefined) {
      throw new VmmError(
        "failed",
        "Error locking disk images: Another instance likely holds a lock",
        ...lockFailed(path, readonly).chain.slice(1),
      );
    }
    devices.holds.addLock(id!, lock.release);
  }
}

/** Creates the error of a disk image that another VM has locked. */
export function lockFailed(path: string, readonly: boolean): VmmError {
  const kind = readonly ? "Read" : "Write";
  return deviceManagerError(
    "Cannot lock images of all block devices",
    `Failed to get ${kind} lock for disk image: ${path}`,
    "The file is already locked",
  );
}

/** Gives a random MAC address to each net device without one. */
export function giveMacs({ parts }: Machine, config: Config): void {
  for (const net of config.net ?? []) net.mac ??= parts.host.randomMac();
}
