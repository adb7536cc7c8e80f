/** The VMM: its configuration and its one VM. */
import type { Config } from "../../src/schema/config.ts";
import type { Release } from "../release_type.ts";
import type { Clock } from "./clock.ts";
import type { EventMonitor } from "./event_monitor.ts";
import type { Exit } from "./exit.ts";
import type { Guest } from "./guest_interface.ts";
import type { Host } from "./host.ts";
import type { CloseSocket } from "./host_sockets.ts";
import type { Instance } from "./instance.ts";
import type { Pty } from "./pty.ts";
import type { State } from "./state_table.ts";

/** The parts of a machine. */
export interface Parts {
  readonly release: Release;
  readonly clock: Clock;
  readonly events: EventMonitor;
  readonly host: Host;
  /** Ends the process. The socket file stays unless the exit code is 0. */
  readonly exit: (exit: Exit) => void;
}

/** A migration to another VMM that is under way. */
export interface Outgoing {
  /** The response of `vm.info` until the migration ends. */
  readonly info: unknown;
}

/** The state of a VMM, without its API socket. */
export class Machine {
  readonly parts: Parts;
  readonly guest: Guest;
  config: Config | undefined;
  instance: Instance | undefined;
  outgoing: Outgoing | undefined;
  /** True while the consoles are open; a shutdown closes them. */
  consolesOpen = false;
  /** Closes the socket of the serial port, if that has one. */
  closeSerial: CloseSocket | undefined;
  /** The pseudoterminals of the consoles. */
  readonly ptys: Pty[] = [];

  #exited = false;
  readonly #closers: (() => void)[] = [];

  constructor(parts: Parts, guest: (machine: Machine) => Guest) {
    this.parts = parts;
    this.guest = guest(this);
  }

  /** Hangs up the pseudoterminals of the consoles. */
  closePtys(): void {
    for (const pty of this.ptys.splice(0)) pty.close();
  }

  /** Registers a callback that runs when the process ends. */
  onExit(close: () => void): void {
    if (this.#exited) close();
    else this.#closers.push(close);
  }

  /** True once the process has ended. */
  get exited(): boolean {
    return this.#exited;
  }

  /**
   * Frees all resources, as the end of a process does.
   *
   * @param leave Leaves socket files behind, as a killed process does.
   */
  async exit(leave: boolean): Promise<void> {
    this.#exited = true;
    const closed = this.parts.host.sockets.closeAll(leave);
    this.closePtys();
    this.instance?.devices.holds.freeAll();
    for (const close of this.#closers) close();
    await closed;
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

  /** Emits an event of the VM, if the release has it. */
  emit(event: string, properties?: Readonly<Record<string, string>>): void {
    if (this.release.silent.includes(event)) return;
    this.parts.events.emit("vm", event, properties);
  }

  /** The configuration. Use it only where the state table guarantees one. */
  get stored(): Config {
    return this.config!;
  }

  /** The VM. Use it only where the state table guarantees one. */
  get owned(): Instance {
    return this.instance!;
  }
}
