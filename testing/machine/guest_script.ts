/** What a guest does on its own, as a test scripts it. */
import { appendFileSync } from "node:fs";
import { reboot } from "../operations/boot.ts";
import { erase } from "../operations/run.ts";
import type { LiveDevice } from "./device_tree.ts";
import type { Instance } from "./instance.ts";
import type { Machine } from "./machine.ts";

/** The script; what is left out does not happen. */
export interface GuestScript {
  /** Milliseconds after which it lets go of a removed device. */
  readonly releasesDeviceAfterMs?: number;
  /** Milliseconds after which it lets go of a removed vCPU. */
  readonly dropsVcpusAfterMs?: number;
  /** Milliseconds from the power button to its powering off. */
  readonly powersOffAfterMs?: number;
  /** What it does on an NMI. */
  readonly onNmi?: "nothing" | "reboot" | "panic";
  /** Whether its drivers come up, as `activated` events tell. */
  readonly activates?: boolean;
  /** Whether its balloon takes at once what it is asked for. */
  readonly inflatesBalloon?: boolean;
  /** Whether it plugs in the memory that virtio-mem offers. */
  readonly acceptsMemory?: boolean;
  /** Milliseconds from the boot to its powering off of its own accord. */
  readonly endsAfterMs?: number;
  /** What it writes to its serial port when it boots, if that is a file. */
  readonly serialOutput?: string;
}

/** Lets the guest do what it does when it is booted. */
export function begin(machine: Machine): void {
  const { mode, file } = machine.stored.serial;
  const { serialOutput, endsAfterMs } = machine.parts.guest;
  if (serialOutput !== undefined && mode === "File" && file !== undefined) {
    appendFileSync(file, serialOutput);
  }
  later(machine, endsAfterMs, () => powerOff(machine));
}

/** Lets the guest eject a device, when the script says so. */
export function leave(machine: Machine, { id }: LiveDevice): void {
  later(
    machine,
    machine.parts.guest.releasesDeviceAfterMs,
    () => eject(machine, id),
  );
}

/** Takes a device off the bus, as the guest's last word on its removal. */
export function eject(machine: Machine, id: string): void {
  const device = machine.instance?.devices.get(id);
  if (device === undefined || !device.leaving) return;
  machine.owned.devices.eject(id);
  machine.emit("device-removed", { id, bdf: device.bdf });
}

/** Lets the guest give vCPUs back, when the script says so. */
export function dropVcpus(machine: Machine): void {
  later(machine, machine.parts.guest.dropsVcpusAfterMs, (instance) => {
    instance.vcpus = instance.vcpusAfter ?? instance.vcpus;
    instance.vcpusAfter = undefined;
  });
}

export function pressPowerButton(machine: Machine): void {
  const { powersOffAfterMs } = machine.parts.guest;
  later(machine, powersOffAfterMs, () => powerOff(machine));
}

/** The guest powers off: the VMM ends as well. */
export function powerOff(machine: Machine): void {
  const { events, exit } = machine.parts;
  erase(machine);
  events.emit("vmm", "shutdown");
  exit(0, false);
}

export function receiveNmi(machine: Machine): void {
  const { onNmi } = machine.parts.guest;
  if (onNmi === "reboot") later(machine, 0, () => guestReboot(machine));
  if (onNmi === "panic") later(machine, 0, () => panic(machine));
}

/** The guest resets: the VMM reboots it. */
export function guestReboot(machine: Machine): void {
  reboot(machine);
}

/** The guest panics, and its pvpanic device says so. */
export function panic(machine: Machine): void {
  if (!machine.config?.pvpanic) return;
  machine.parts.events.emit("guest", "panic", { event: "panic" });
}

/** The guest's drivers come up. */
export function activate(machine: Machine, device: LiveDevice): void {
  if (!machine.parts.guest.activates) return;
  if (["vfio", "vfio-user", "pvpanic"].includes(device.kind)) return;
  const source = device.kind === "vdpa" ? "vdpa" : "virtio-device";
  machine.parts.events.emit(source, "activated", { id: device.id });
}

/** Runs later, if the same VM is still there then. */
function later(
  machine: Machine,
  ms: number | undefined,
  act: (instance: Instance) => void,
): void {
  if (ms === undefined || ms === Infinity) return;
  const { instance } = machine;
  machine.parts.clock.after(ms, () => {
    if (instance !== undefined && machine.instance === instance) act(instance);
  });
}
