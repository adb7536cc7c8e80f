/** The guest of the fake VMM: it follows a script, and obeys the test. */
import { appendFileSync } from "node:fs";
import type { Socket } from "node:net";
import { exitCode } from "./machine/exit.ts";
import type { Guest } from "./machine/guest.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import type { Instance } from "./machine/instance.ts";
import type { LiveDevice } from "./machine/live_device.ts";
import type { Machine } from "./machine/machine.ts";
import { reboot } from "./operations/boot.ts";
import { erase } from "./operations/run.ts";

/**
 * Something that a guest does.
 *
 * - `powerOff`: the guest powers off, and the VMM process ends with it
 * - `reboot`: the guest resets, and the VMM boots the VM again
 * - `panic`: the pvpanic device reports a panic, if the VM has that device
 * - `releaseDevice`: the guest releases a device that `vm.remove-device` named
 */
export type GuestAction = "powerOff" | "reboot" | "panic" | {
  /** The id of the device. */
  readonly releaseDevice: string;
};

/** The guest, as a test controls it. */
export interface FakeGuest {
  /**
   * Performs an action at once, whatever the script says. Nothing happens
   * without a booted VM.
   */
  perform(action: GuestAction): void;
}

/** A guest that follows a script. */
export class ScriptedGuest implements Guest, FakeGuest {
  readonly acceptsMemory: boolean;
  readonly inflatesBalloon: boolean;
  readonly #machine: Machine;
  readonly #script: GuestScript;
  /** Serial output that no client of the socket has read. */
  #unread = "";

  constructor(machine: Machine, script: GuestScript) {
    this.#machine = machine;
    this.#script = script;
    this.acceptsMemory = script.acceptsMemory ?? false;
    this.inflatesBalloon = script.inflatesBalloon ?? false;
  }

  perform(action: GuestAction): void {
    if (this.#machine.instance === undefined) return;
    if (typeof action === "object") this.#releaseDevice(action.releaseDevice);
    else if (action === "powerOff") this.#powerOff();
    else if (action === "reboot") reboot(this.#machine);
    else this.#panic();
  }

  start(): void {
    const { mode, file } = this.#machine.stored.serial;
    const { serialOutput, endsAfterMs } = this.#script;
    if (serialOutput !== undefined) {
      if (mode === "File" && file !== undefined) {
        appendFileSync(file, serialOutput);
      }
      if (mode === "Socket") this.#unread += serialOutput;
    }
    this.#schedule(endsAfterMs, () => this.#powerOff());
  }

  attachSerial(socket: Socket): void {
    socket.write(this.#unread);
    this.#unread = "";
    socket.resume();
  }

  activate(device: LiveDevice): void {
    if (!this.#script.activates) return;
    if (["vfio", "vfio-user", "pvpanic"].includes(device.kind)) return;
    const source = device.kind === "vdpa" ? "vdpa" : "virtio-device";
    this.#machine.parts.events.emit(source, "activated", { id: device.id });
  }

  removeDevice({ id }: LiveDevice): void {
    const { releasesDeviceAfterMs } = this.#script;
    this.#schedule(releasesDeviceAfterMs, () => this.#releaseDevice(id));
  }

  removeVcpus(): void {
    this.#schedule(this.#script.dropsVcpusAfterMs, (instance) => {
      instance.vcpus = instance.vcpusAfter ?? instance.vcpus;
      instance.vcpusAfter = undefined;
    });
  }

  pressPowerButton(): void {
    this.#schedule(this.#script.powersOffAfterMs, () => this.#powerOff());
  }

  receiveNmi(): void {
    const { onNmi } = this.#script;
    if (onNmi === "reboot" || onNmi === "panic") {
      this.#schedule(0, () => this.perform(onNmi));
    }
  }

  sendMemory(): Promise<void> {
    const { migrationMs = 0 } = this.#script;
    const { clock } = this.#machine.parts;
    if (migrationMs === 0) return Promise.resolve();
    return new Promise((resolve) => clock.after(migrationMs, resolve));
  }

  #releaseDevice(id: string): void {
    const { owned } = this.#machine;
    const device = owned.devices.get(id);
    if (device === undefined || !device.leaving) return;
    owned.devices.eject(id);
    this.#machine.emit("device-removed", { id, bdf: device.bdf });
  }

  #powerOff(): void {
    const { events, exit } = this.#machine.parts;
    erase(this.#machine);
    events.emit("vmm", "shutdown");
    exit(exitCode(0));
  }

  #panic(): void {
    const { config, parts } = this.#machine;
    if (config?.pvpanic) {
      parts.events.emit("guest", "panic", { event: "panic" });
    }
  }

  /** Runs an action later, if the same VM still exists then. */
  #schedule(
    ms: number | undefined,
    action: (instance: Instance) => void,
  ): void {
    if (ms === undefined || ms === Infinity) return;
    const machine = this.#machine;
    const { instance } = machine;
    machine.parts.clock.after(ms, () => {
      if (instance !== undefined && machine.instance === instance) {
        action(instance);
      }
    });
  }
}
