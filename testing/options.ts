/** How a fake VMM is started, and how it ends. */
import type { RestoreConfig, VmConfig } from "../src/generated/types.gen.ts";
import type { Clock } from "./machine/clock.ts";
import type { FaultRule } from "./api/faults.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import type { Files } from "./machine/host.ts";
import {
  newestRelease,
  type Release,
  type ReleaseName,
  releases,
} from "./release.ts";

/** How a fake VMM is to be. */
export interface FakeVmmOptions {
  /**
   * Where it listens.
   *
   * Default: a path in a private temporary directory, removed on close.
   */
  readonly socketPath?: string;
  /** Listens on this descriptor instead. */
  readonly socketFd?: number;
  /** The release of the VMM. Default: the newest that the fake knows. */
  readonly release?: ReleaseName;
  /**
   * Whether kernels, disks and the like must exist (`real`, as for the real
   * one), or whatever path is named is taken to be there (`any`).
   *
   * Default: `"real"`.
   */
  readonly files?: Files;
  /** What the guest does on its own. Default: nothing. */
  readonly guest?: GuestScript;
  /** Failures on demand; `fail()` adds more. */
  readonly faults?: readonly FaultRule[];
  /** The time of delays and of the guest. Default: the real one. */
  readonly clock?: Clock;
  /** A descriptor that gets the events, as `--event-monitor fd=`. */
  readonly eventFd?: number;
  /** A VM that runs from the start. */
  readonly boot?: VmConfig;
  /** A snapshot to start from. */
  readonly restore?: RestoreConfig;
}

/** A start that failed; `chain` is what the program would print. */
export class StartError extends Error {
  /** The outermost failure first. */
  readonly chain: readonly string[];

  /** Joins the chain to a message. */
  constructor(chain: readonly string[]) {
    super(chain.join(": "));
    this.name = "StartError";
    this.chain = chain;
  }
}

/** How the process would have ended. */
export interface Exit {
  /** 0 unless it failed; 159 where the kernel ended it with SIGSYS. */
  readonly code: number;
}

/**
 * The release of a name.
 *
 * @throws {TypeError} at one that there is not.
 */
export function releaseOf(name: ReleaseName = newestRelease): Release {
  const release = Object.hasOwn(releases, name) ? releases[name] : undefined;
  if (release !== undefined) return release;
  throw new TypeError(
    `no release is called ${JSON.stringify(name)}: there are ` +
      Object.keys(releases).join(" and "),
  );
}
