/** The behaviour of a guest without actions of the test. */
import type { FakeGuest } from "../guest/fake_guest.ts";
import type { VsockPorts } from "../guest/vsock_device.ts";

/**
 * The behaviour of the guest. What is left out does not happen.
 *
 * A function that throws, rejects or returns a value that it must not return
 * fails the test that runs, by an unhandled rejection. The stand-in program
 * ends with the message on stderr.
 */
export interface GuestScript {
  /** Milliseconds until the guest releases a removed device. */
  readonly releasesDeviceAfterMs?: number;
  /** Milliseconds until the guest releases removed vCPUs. */
  readonly dropsVcpusAfterMs?: number;
  /** Milliseconds from the power button until the guest powers off. */
  readonly powersOffAfterMs?: number;
  /** Milliseconds that a migration needs to send the memory. Default: `0`. */
  readonly migrationMs?: number;
  /**
   * Milliseconds for which the VMM fills the memory after a restore with
   * `memory_restore_mode: "OnDemand"`, and refuses snapshots and migrations.
   * Default: `0`.
   */
  readonly memoryFillMs?: number;
  /** The reaction to an NMI. Default: `"nothing"`. */
  readonly onNmi?: "nothing" | "reboot" | "panic";
  /** True: its drivers start, which emits `activated` events. */
  readonly activates?: boolean;
  /** True: its balloon takes each new size at once. */
  readonly inflatesBalloon?: boolean;
  /** True: it plugs in the memory that virtio-mem offers. */
  readonly acceptsMemory?: boolean;
  /** Milliseconds from the boot until the guest powers off by itself. */
  readonly endsAfterMs?: number;
  /** Text that a boot writes to the serial port: a file, socket or `Pty`. */
  readonly serialOutput?: string;
  /** Called after each boot, with the guest. */
  readonly onBoot?: (guest: FakeGuest) => void | Promise<void>;
  /**
   * Answers a line that is typed into the serial port in mode `Socket` or
   * `Pty`, or into the console in mode `Pty` where the serial port has none of
   * these and is no file. The text that it returns is written to the port,
   * without an end of its own; `\n` becomes `\r\n`. What is typed is echoed before.
   */
  readonly serial?: (
    line: string,
    guest: FakeGuest,
  ) => string | void | Promise<string | void>;
  /**
   * The listeners on vsock ports of the guest. A port that is missing here
   * refuses; with `activates: false` the guest is silent.
   */
  readonly vsock?: VsockPorts;
}
