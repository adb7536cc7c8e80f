/** The guest of the fake VMM: it follows a script, and obeys the test. */
import { appendFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { callScript } from "./call_script.ts";
import type { GuestConnection } from "./connection.ts";
import type { FakeGuest, GuestAction } from "./fake_guest.ts";
import { SerialPort } from "./serial_port.ts";
import { connectToHost, VsockDevice } from "./vsock_device.ts";
import { exitCode } from "../machine/exit.ts";
import type { Guest } from "../machine/guest_interface.ts";
import type { GuestScript } from "../machine/guest_script.ts";
import type { Instance } from "../machine/instance.ts";
import type { LiveDevice } from "../machine/live_device.ts";
import type { Machine } from "../machine/machine.ts";
import { reboot } from "../operations/boot.ts";
import { erase } from "../operations/run.ts";

/** A guest that follows a script. */
export class ScriptedGuest implements Guest, FakeGuest {
  readonly acceptsMemory: boolean;
  readonly inflatesBalloon: boolean;
  readonly #machine: Machine;
  readonly #script: GuestScript;
  readonly #serial: SerialPort;
  readonly #vsock: VsockDevice;

  constructor(machine: Machine, script: GuestScript) {
    this.#machine = machine;
    this.#script = script;
    const isRunning = () => machine.instance?.state === "Running";
    const onLine = script.serial && ((line: string) => void this.#answer(line));
    this.#serial = new SerialPort({
      onLine,
      isRunning,
      keepsOutput: machine.release.keepsOutput,
    });
    const { vsock: ports = {}, activates } = script;
    const hasDriver = activates ?? true;
    this.#vsock = new VsockDevice({ ports, hasDriver, isRunning });
    this.acceptsMemory = script.acceptsMemory ?? false;
    this.inflatesBalloon = script.inflatesBalloon ?? false;
  }

  perform(action: GuestAction): void {
    if (this.#machine.instance === undefined) return;
    if (typeof action === "object") this.#releaseDevice(action.releaseDevice);
    else if (action === "powerOff") this.powerOff();
    else if (action === "reboot") reboot(this.#machine);
    else this.#panic();
  }

  print(text: string): void {
    const { serial, console } = this.#machine.config ?? {};
    if (serial?.mode === "File" && serial.file !== undefined) {
      appendFileSync(serial.file, text);
    }
    const modes = [serial?.mode, console?.mode];
    if (serial?.mode === "Socket" || modes.includes("Pty")) {
      this.#serial.print(text);
    }
  }

  async connect(port: number): Promise<GuestConnection> {
    const { config, instance } = this.#machine;
    if (config?.vsock === undefined || instance === undefined) {
      throw new Error("the VM has no vsock device, or is not booted");
    }
    return await connectToHost(`${config.vsock.socket}_${port}`);
  }

  start(): void {
    const { serialOutput, endsAfterMs } = this.#script;
    if (serialOutput !== undefined) this.print(serialOutput);
    void callScript("guest.onBoot", () => this.#script.onBoot?.(this), {
      advice: "print with guest.print()",
    });
    this.resume();
    this.#schedule(endsAfterMs, () => this.powerOff());
  }

  resume(): void {
    this.#serial.resume();
    this.#vsock.resume();
  }

  end(): void {
    this.#serial.reset();
    this.#vsock.reset();
  }

  attachSerial(input: Readable, output: Writable): void {
    this.#serial.attach(input, output);
  }

  attachVsock(socket: Socket): void {
    this.#vsock.attach(socket);
  }

  async #answer(line: string): Promise<void> {
    const call = () => this.#script.serial?.(line, this);
    const answer = await callScript("guest.serial", call, {
      mayBeText: true,
      advice: "return a string or nothing",
    });
    if (answer !== undefined) this.print(answer);
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
    this.#schedule(this.#script.powersOffAfterMs, () => this.powerOff());
  }

  receiveNmi(): void {
    const { onNmi } = this.#script;
    if (onNmi === "reboot" || onNmi === "panic") {
      this.#schedule(0, () => this.perform(onNmi));
    }
  }

  fillMemory(): void {
    const { memoryFillMs = 0 } = this.#script;
    if (memoryFillMs === 0) return;
    this.#machine.owned.isFilling = true;
    this.#schedule(memoryFillMs, (instance) => instance.isFilling = false);
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

  powerOff(): void {
    if (this.#machine.instance === undefined) return;
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
