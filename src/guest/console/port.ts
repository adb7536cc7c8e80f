/** Holds a link to a console, over reboots, until the VMM ends. */
import { type VmmExit, VmmExitedError } from "../../errors/errors.ts";
import { GuestError } from "../../errors/guest_error.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { keepsSerialOutput } from "../../vmm/keeps_serial_output.ts";
import { isNotYet } from "../vsock/target.ts";
import { type ConsoleLink, identityOf, openSocketLink } from "./link.ts";
import { openPtyLink } from "./pty_link.ts";
import {
  type ConsoleDevice,
  type ConsoleTarget,
  portOf,
  type PortPath,
  vmmOfTarget,
} from "./target.ts";

/** Options of a port. */
export interface PortOptions {
  readonly device?: ConsoleDevice | undefined;
  readonly reconnect: boolean;
  onOutput(bytes: Uint8Array): void;
}

export class ConsolePort {
  readonly #target: ConsoleTarget;
  readonly #options: PortOptions;
  readonly #scope = new AbortScope({});
  #link: ConsoleLink | undefined;
  #arrival: PromiseWithResolvers<void> = Promise.withResolvers();
  /** The socket or pty that a link was made to last, and when it ended. */
  #last:
    | { readonly identity: string | undefined; readonly at: number }
    | undefined;
  /** The last failure to connect. */
  failure: unknown;
  /** Rejects with what ended the port. */
  readonly ended: Promise<never>;

  constructor(target: ConsoleTarget, options: PortOptions) {
    this.#target = target;
    this.#options = options;
    const exited = vmmOfTarget(target)?.exited;
    if (exited) {
      const toReason = (exit: VmmExit) => new VmmExitedError(exit);
      this.#scope.abortOnSettled(exited, toReason);
    }
    this.ended = this.#run().finally(() => this.#scope.close());
    this.ended.catch(() => {});
  }

  /** Ends the port with a reason; the link is closed in good order. */
  stop(reason: unknown): void {
    this.#scope.abort(reason);
  }

  /** The link; waited for where there is none now. */
  async link(scope: AbortScope): Promise<ConsoleLink> {
    while (this.#link === undefined) {
      await scope.race(Promise.race([this.#arrival.promise, this.ended]));
    }
    return this.#link;
  }

  /** The link, if there is one now. */
  get current(): ConsoleLink | undefined {
    return this.#link;
  }

  async #run(): Promise<never> {
    for (;;) {
      const { link, identity } = await this.#connect();
      this.#link = link;
      this.#arrival.resolve();
      this.#arrival = Promise.withResolvers();
      try {
        await this.#hold(link);
      } finally {
        this.#link = undefined;
      }
      this.#last = { identity, at: performance.now() };
      if (!this.#options.reconnect || "pty" in this.#target) {
        throw new GuestError("closed", "the VMM closed the console");
      }
    }
  }

  /** Waits for the end of the link, and ends it when the port ends. */
  async #hold(link: ConsoleLink): Promise<void> {
    try {
      await this.#scope.race(link.ended);
    } catch (reason) {
      // A VMM that has ended closes the link, after the last output.
      const rest = reason instanceof VmmExitedError
        ? Promise.race([link.ended, after(LAST_OUTPUT_MS)])
        : undefined;
      await rest;
      await link.close();
      throw reason;
    }
  }

  async #connect(): Promise<{ link: ConsoleLink; identity?: string }> {
    const { signal } = this.#scope;
    let delay = FIRST_MS;
    for (;;) {
      try {
        const { device } = this.#options;
        const port = portOf(this.#target, device, signal);
        const link = await this.#open(await this.#scope.race(port));
        if (link) return link;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        this.failure = error;
        if (!this.#canComeYet(error)) throw this.#toEnd(error);
      }
      await this.#scope.pause(delay);
      delay = Math.min(delay * 1.5, MAX_MS);
    }
  }

  /** Opens a link, unless the socket or pty is that of the last link. */
  async #open(
    port: PortPath,
  ): Promise<{ link: ConsoleLink; identity?: string } | undefined> {
    const { path, isPty, isBooted } = port;
    const { onOutput } = this.#options;
    const identity = isPty ? path : identityOf(path);
    const isLast = identity !== undefined && identity === this.#last?.identity;
    if (isLast && isPty && !isBooted) return undefined;
    if (isLast && !isPty) {
      if (performance.now() - this.#last!.at < TAKEOVER_MS) return undefined;
      // Two consoles that take the port from each other would never end.
      throw takenOver(path);
    }
    const link = isPty
      ? await openPtyLink(path, onOutput, () => this.#isCurrent(port))
      : await openSocketLink(path, { onOutput, keepsRest: this.#keepsRest() });
    return link && (identity === undefined ? { link } : { link, identity });
  }

  /** Asks the VMM at each boot: another program may serve the socket by then. */
  async #keepsRest(): Promise<boolean> {
    const vmm = vmmOfTarget(this.#target);
    return vmm === undefined ||
      await keepsSerialOutput(vmm, this.#scope.signal);
  }

  /** Asks the VMM again, once the pty is open: a reboot may have come before. */
  async #isCurrent({ path, isBooted }: PortPath): Promise<boolean> {
    const { device } = this.#options;
    const port = portOf(this.#target, device, this.#scope.signal);
    const now = await this.#scope.race(port);
    return now.path === path && now.isBooted === isBooted;
  }

  /** A path at which nothing listens any more is an end, and no failure. */
  #toEnd(error: unknown): unknown {
    const isGone = error instanceof GuestError && NOT_YET.has(error.code);
    if (!isGone || this.#last === undefined) return error;
    return new GuestError("closed", "the console has ended", { cause: error });
  }

  #canComeYet(error: unknown): boolean {
    const isGuestError = error instanceof GuestError;
    if (vmmOfTarget(this.#target) && !isGuestError) return isNotYet(error);
    if (!isGuestError || !NOT_YET.has(error.code)) return false;
    // Each boot has another pty, and another program may get the old number.
    if ("pty" in this.#target) return false;
    if (vmmOfTarget(this.#target) || this.#last === undefined) return true;
    // Nobody says when the VMM of a path ends.
    return performance.now() - this.#last.at < GONE_MS;
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function takenOver(path: string): GuestError {
  return new GuestError(
    "in_use",
    `another client took the console at "${path}" over; a serial port has one client at a time`,
    { path },
  );
}

const NOT_YET: ReadonlySet<string> = new Set(["socket_missing", "refused"]);
const FIRST_MS = 2;
const MAX_MS = 100;
/** A reboot makes a new socket before this, after it has dropped the client. */
const TAKEOVER_MS = 1000;
/** After this, a VMM is gone of which only the path is known. */
const GONE_MS = 2000;
/** The last output is read in this time after the VMM's end. */
const LAST_OUTPUT_MS = 1000;
