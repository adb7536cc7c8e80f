/** The guest, as the machine uses it. */
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { LiveDevice } from "./live_device.ts";

/** The guest, as operations reach it. */
export interface Guest {
  /** True if virtio-mem memory is plugged in at once. */
  readonly acceptsMemory: boolean;
  /** True if the balloon takes its new size at once. */
  readonly inflatesBalloon: boolean;
  /**
   * Called when a client connects to the socket of the serial port, and when
   * the port gets a pseudoterminal.
   */
  attachSerial(input: Readable, output: Writable): void;
  /** Called when a client connects to the socket of the vsock device. */
  attachVsock(socket: Socket): void;
  /** Called after a boot, also after that of a reboot. */
  start(): void;
  /** Called when a paused VM goes on. */
  resume(): void;
  /** Called when the VM has ended, also before a reboot. */
  end(): void;
  /** Called when a device gets its place on the bus. */
  activate(device: LiveDevice): void;
  /** Called when the removal of a device was requested. */
  removeDevice(device: LiveDevice): void;
  /** Called when the removal of vCPUs was requested. */
  removeVcpus(): void;
  pressPowerButton(): void;
  /** Called when the guest has nothing to run: the process ends. */
  powerOff(): void;
  receiveNmi(): void;
  /** Called after a restore that fills the memory in the background. */
  fillMemory(): void;
  /** Resolves when the memory of the guest has been sent to another VMM. */
  sendMemory(): Promise<void>;
}
