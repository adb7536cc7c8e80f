/** The VMM: its configuration, its one VM, and what is asked of them. */
import type { OperationName } from "../../src/generated/api.gen.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "../../src/schema/config.ts";
import type { EventMonitor } from "./event_monitor.ts";
import type { GuestScript } from "./guest_script.ts";
import type { Host } from "./host.ts";
import type { Instance } from "./instance.ts";
import { assertAllowed, type State } from "./state_table.ts";
import { operations } from "../operations/mod.ts";
import type { Release } from "../release.ts";

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

  #exited = false;
  readonly #closers: (() => void)[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Has something closed when the process ends. */
  onExit(close: () => void): void {
    if (this.#exited) close();
    else this.#closers.push(close);
  }

  /** Whether the process has ended. */
  get exited(): boolean {
    return this.#exited;
  }

  /** Closes what is held, as the end of a process does. */
  exit(): void {
    this.#exited = true;
    this.instance?.devices.release();
    for (const close of this.#closers) close();
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
  emit(event: string, properties?: Readonly<Record<string, string>>): void {
    this.parts.events.emit("vm", event, properties);
  }

  /**
   * Does what an operation asks for.
   *
   * @returns its data, if it has any, at once or when it is done.
   * @throws {Refusal} or {Panic}
   */
  perform(operation: OperationName, body: unknown): unknown {
    assertAllowed(operation, this.state, (event) => this.emit(event));
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
