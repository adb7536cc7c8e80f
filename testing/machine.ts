/** The VMM: its configuration, its one VM, and what is asked of them. */
import type { OperationName } from "../src/generated/api.gen.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "../src/schema/config.ts";
import type { EventMonitor } from "./events.ts";
import type { GuestScript } from "./guest.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import { admit, type State } from "./lifecycle.ts";
import { operations } from "./operations.ts";
import type { Release } from "./release.ts";

/** What a machine is made of. */
export interface Parts {
  readonly release: Release;
  readonly clock: Clock;
  readonly events: EventMonitor;
  readonly host: Host;
  readonly guest: GuestScript;
  /** Ends the process; `crash` leaves the socket file behind. */
  readonly exit: (code: number, crash: boolean) => void;
}

/** A migration that goes out. */
export interface Outgoing {
  /** What `vm.info` answers until it is over. */
  readonly info: unknown;
}

/** The state of a VMM, without its socket. */
export class Machine {
  readonly parts: Parts;
  config: Config | undefined;
  instance: Instance | undefined;
  outgoing: Outgoing | undefined;
  /** Whether the consoles are open; a shutdown closes them. */
  consolesOpen = false;

  #over = false;
  readonly #held: (() => void)[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Has something closed when the process ends. */
  hold(close: () => void): void {
    if (this.#over) close();
    else this.#held.push(close);
  }

  /** Whether the process has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Closes what is held, as the end of a process does. */
  dissolve(): void {
    this.#over = true;
    this.instance?.devices.release();
    for (const close of this.#held) close();
  }

  get release(): Release {
    return this.parts.release;
  }

  get state(): State {
    if (this.outgoing !== undefined) return "Migrating";
    if (this.instance !== undefined) {
      const { state } = this.instance;
      return state === "Created" ? "Failed" : state;
    }
    return this.config === undefined ? "None" : "Created";
  }

  /** Emits an event of the VM. */
  announce(event: string, properties?: Readonly<Record<string, string>>): void {
    this.parts.events.emit("vm", event, properties);
  }

  /**
   * Does what an operation asks for.
   *
   * @returns its data, if it has any, at once or when it is done.
   * @throws {Refusal} or {Panic}
   */
  perform(operation: OperationName, body: unknown): unknown {
    admit(operation, this.state, (event) => this.announce(event));
    return operations[operation](this, body as never);
  }

  /** The configuration, where the table of states says that there is one. */
  get stored(): Config {
    return this.config!;
  }

  /** The VM, where the table of states says that there is one. */
  get owned(): Instance {
    return this.instance!;
  }
}

/** The kernel ends the process for a call that its sandbox forbids. */
export class Killed extends Error {}

/** A bug of the VMM that ends its thread, and with it the process. */
export class Panic extends Error {}
