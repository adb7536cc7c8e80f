/** The options of a fake VMM. */
import type { RestoreConfig, VmConfig } from "../src/generated/types.gen.ts";
import type { FaultRule } from "./api/fault_rule.ts";
import type { Clock } from "./machine/clock.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import type { Files } from "./machine/host.ts";
import type { ReleaseName } from "./release_type.ts";

/** The options of `FakeVmm.start()`. */
export interface FakeVmmOptions {
  /**
   * The path of the API socket.
   *
   * Default: a path in a private temporary directory, removed on close.
   */
  readonly socketPath?: string;
  /** A listening descriptor, in place of `socketPath`. */
  readonly socketFd?: number;
  /** The release that the fake behaves as. Default: the newest. */
  readonly release?: ReleaseName;
  /**
   * `real`: kernels, disks and other files must exist, as for a real VMM.
   * `any`: every path counts as a file that fits the configuration.
   *
   * Default: `"real"`.
   */
  readonly files?: Files;
  /** The behaviour of the guest. Default: the guest does nothing. */
  readonly guest?: GuestScript;
  /** Failures on demand; `injectFault()` adds more. */
  readonly faults?: readonly FaultRule[];
  /** The clock of delays and of the guest. Default: real time. */
  readonly clock?: Clock;
  /** A descriptor that receives the events, as with `--event-monitor fd=`. */
  readonly eventFd?: number;
  /** A file that receives the events, as with `--event-monitor path=`. */
  readonly eventsPath?: string;
  /** A VM that runs from the start. */
  readonly boot?: VmConfig;
  /** A snapshot to start from. */
  readonly restore?: RestoreConfig;
}

/** A start that failed. */
export class StartError extends Error {
  /** The messages that the program would print, outermost first. */
  readonly chain: readonly string[];

  /** Joins the chain to one message. */
  constructor(chain: readonly string[]) {
    super(chain.join(": "));
    this.name = "StartError";
    this.chain = chain;
  }
}
