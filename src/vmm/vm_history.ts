/** The life of a VM, as the events of its VMM tell it. */
import type { VmmEvent } from "../events/mod.ts";

export class VmHistory {
  /** True if the VMM reported that it ends. */
  hasEnded = false;
  /** True if a VM has booted, or was restored or received. */
  hasRun = false;
  #isRunning = false;
  #isBooting = false;
  /** True if the guest panicked, and has not booted since. */
  hasPanicked = false;
  /** True if the VM was sent to another VMM. */
  hasMigrated = false;
  /** The seconds of the last `shutdown` of a VM. */
  #shutdownAt = -Infinity;

  /**
   * True if the guest ran until the VMM ended. The VMM can lose its last events,
   * from `booted` to `shutdown`, if the guest powers off at once.
   */
  get ranToTheEnd(): boolean {
    return this.#isRunning ||
      !this.hasEnded && (this.#isBooting || this.#shutdownAt >= 0);
  }

  /** True if the VMM ended its VM or itself in order. */
  get isOrderly(): boolean {
    return this.hasEnded || this.#shutdownAt >= 0;
  }

  /** Learns of an event. */
  add({ source, event, properties, timestamp }: VmmEvent): void {
    if (source === "guest") {
      // A guest with a crash kernel goes on, to write its dump.
      if (properties.event === "panic") this.hasPanicked = true;
      return;
    }
    if (source === "vmm" && event === "shutdown") {
      this.hasEnded = true;
      const at = toSeconds(timestamp);
      this.#isRunning = at - this.#shutdownAt < AT_ONCE_S;
    }
    if (source !== "vm") return;
    if (event === "booting") this.#isBooting = true;
    else if (STARTS.has(event)) {
      this.hasRun = true;
      this.#isRunning = true;
      this.#shutdownAt = -Infinity;
      this.hasPanicked = false;
      this.hasMigrated = false;
    } else if (event === "shutdown") {
      this.#isRunning = false;
      this.#isBooting = false;
      this.#shutdownAt = toSeconds(timestamp);
    } else if (event === "migration-finished") this.hasMigrated = true;
    // The source keeps the VM with `preserve_source`.
    else if (event === "resumed") this.hasMigrated = false;
  }
}

function toSeconds({ secs, nanos }: { secs: number; nanos: number }): number {
  return secs + nanos / 1e9;
}

/** The events after which a guest runs that has not run before. */
const STARTS: ReadonlySet<string> = new Set([
  "booted",
  "migration-receive-finished",
  "rebooted",
  "restored",
]);

/**
 * A guest that powers off ends its VM and its VMM within microseconds. Two
 * requests of somebody else have a longer pause between them.
 */
const AT_ONCE_S = 1;
