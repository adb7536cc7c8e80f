/** The guest of the fake VMM, as tests and its own script see it. */
import type { GuestConnection } from "./connection.ts";

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
  /** Writes text to the serial port; `\n` becomes `\r\n`. */
  print(text: string): void;
  /**
   * Connects to a port of the host by vsock.
   *
   * @throws {Error} The VM has no vsock device or is not booted, or nobody
   * listens on the port.
   */
  connect(port: number): Promise<GuestConnection>;
}
