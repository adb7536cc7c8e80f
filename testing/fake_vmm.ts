/** A fake VMM for tests: the API on a real socket, without a VM behind it. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";
import type { FaultRule } from "./api/fault_rule.ts";
import { Faults } from "./api/faults.ts";
import { type LoggedRequest, Service } from "./api/service.ts";
import { ScriptedGuest } from "./guest/scripted_guest.ts";
import type { FakeGuest } from "./guest/fake_guest.ts";
import { removeDeadSocket } from "./http/dead_socket.ts";
import { HttpServer } from "./http/server.ts";
import { realClock } from "./machine/clock.ts";
import { countTraffic, type Traffic } from "./machine/counters.ts";
import { type EmittedEvent, EventMonitor } from "./machine/event_monitor.ts";
import { type Exit, exitCode, killedBy, leavesSocket } from "./machine/exit.ts";
import { Host } from "./machine/host.ts";
import { Machine } from "./machine/machine.ts";
import { terminateVmm } from "./operations/run.ts";
import { type FakeVmmOptions, StartError } from "./options.ts";
import { releaseOf } from "./release.ts";
import type { Release } from "./release_type.ts";

/**
 * A fake VMM on a Unix socket.
 *
 * The fake answers as cloud-hypervisor does: with its states, its error chains,
 * and its limits on connections and bodies. It runs no guest.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { FakeVmm } from "@chv/cloud-hypervisor/testing";
 *
 * const vmm = await FakeVmm.start({ files: "any" });
 * const client = createClient(vmm.socketPath);
 * await client.vm.create({ payload: { kernel: "/boot/vmlinux" } });
 * await client.vm.boot();
 * await vmm.close();
 * ```
 */
export class FakeVmm {
  /** The absolute path of the API socket; empty on a descriptor. */
  readonly socketPath: string;
  /** The guest, which a test can control. */
  readonly guest: FakeGuest;
  /** Resolves when the process of a real VMM would have ended. */
  readonly exited: Promise<Exit>;

  readonly #machine: Machine;
  readonly #server: HttpServer;
  readonly #events: EventMonitor;
  readonly #faults: Faults;
  readonly #service: Service;
  readonly #directory: string | undefined;
  /** The descriptor of `eventsPath`. */
  readonly #ownFd: number | undefined;
  #resolveExited!: (exit: Exit) => void;
  #ending: Promise<void> | undefined;

  /** Use `FakeVmm.start()`. */
  private constructor(
    socketPath: string,
    directory: string | undefined,
    release: Release,
    faults: Faults,
    options: FakeVmmOptions,
  ) {
    this.socketPath = socketPath;
    this.#directory = directory;
    this.exited = new Promise((resolve) => this.#resolveExited = resolve);
    const clock = options.clock ?? realClock;
    const { eventFd, eventsPath } = options;
    if (eventsPath !== undefined) {
      this.#ownFd = openSync(eventsPath, "w", 0o600);
    }
    this.#events = new EventMonitor(clock, eventFd ?? this.#ownFd);
    this.#faults = faults;
    let guest!: ScriptedGuest;
    this.#machine = new Machine(
      {
        release,
        clock,
        events: this.#events,
        host: new Host(options.files ?? "real"),
        exit: (exit) => void this.#end(exit),
      },
      (machine) => guest = new ScriptedGuest(machine, options.guest ?? {}),
    );
    this.guest = guest;
    const service = new Service(this.#machine, faults);
    this.#service = service;
    this.#server = new HttpServer(
      release,
      (request) => service.answer(request),
    );
  }

  /**
   * Starts a fake VMM.
   *
   * @throws {StartError} if another VMM listens on the path, or if the VM of
   * `boot` or `restore` does not start.
   * @throws {TypeError} if no release or operation has the given name.
   */
  static async start(options: FakeVmmOptions = {}): Promise<FakeVmm> {
    const { socketPath, socketFd, boot, restore } = options;
    // Checked before anything is created that would have to be removed.
    const release = releaseOf(options.release);
    const faults = new Faults(options.faults);
    const directory = socketPath === undefined && socketFd === undefined
      ? mkdtempSync(join(tmpdir(), "fake-vmm-"))
      : undefined;
    const path = socketFd !== undefined
      ? ""
      : absolute(socketPath ?? join(directory!, "api.sock"));
    if (socketPath !== undefined && !await removeDeadSocket(path)) {
      throw new StartError([
        "Failed to start the VMM thread",
        `API socket ${JSON.stringify(path)} is already in use by another ` +
        "running instance",
      ]);
    }
    const vmm = new FakeVmm(path, directory, release, faults, options);
    await vmm.#listen(socketFd === undefined ? path : { fd: socketFd });
    try {
      if (boot !== undefined) {
        vmm.#service.perform("vm.create", boot, "Error creating VM");
        vmm.#service.perform("vm.boot", undefined, "Error booting VM");
      }
      if (restore !== undefined) {
        vmm.#service.perform("vm.restore", restore, "Error restoring VM");
      }
    } catch (error) {
      await vmm.#end(exitCode(1));
      throw error;
    }
    return vmm;
  }

  /** The requests so far, oldest first, without those that did not parse. */
  get requests(): readonly LoggedRequest[] {
    return this.#service.requests;
  }

  /** The number of open connections. */
  get openConnections(): number {
    return this.#server.openConnections;
  }

  /** The events so far, oldest first. */
  get events(): readonly EmittedEvent[] {
    return this.#events.log;
  }

  /** Resolves to the first event of this name, in the past or the future. */
  event(name: string): Promise<EmittedEvent> {
    return this.#events.wait(name);
  }

  /**
   * Adds a failure on demand.
   *
   * @throws {TypeError} if no operation has the given name.
   */
  injectFault(rule: FaultRule): void {
    this.#faults.add(rule);
  }

  /** Removes all failures on demand. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * Counts traffic of a disk or a net device in `vm.counters`.
   *
   * @throws {TypeError} if no booted VM has that device.
   */
  recordTraffic(
    id: string,
    direction: "read" | "write" | "rx" | "tx",
    traffic: Traffic,
  ): void {
    const counters = this.#machine.instance?.devices.get(id)?.counters;
    countTraffic(id, counters, direction, traffic);
  }

  /** Ends the VMM as SIGKILL does: it writes no event; socket files stay. */
  crash(): Promise<void> {
    return this.#end(killedBy("SIGKILL"));
  }

  /** Shuts the VM down and ends, as by SIGTERM; nothing during a request. */
  async terminate(): Promise<void> {
    // A signal waits for a running request, such as a migration that comes in.
    if (this.#server.busy || this.#ending !== undefined) return;
    try {
      terminateVmm(this.#machine);
    } catch {
      // The VM of a debugger or of an outgoing migration cannot end; the
      // process does.
    }
    await this.#ending;
  }

  /** Ends the process, and removes its socket, lock file and directory. */
  async close(): Promise<void> {
    await this.#end(exitCode(0));
    const { socketPath } = this;
    const paths = this.#directory === undefined
      ? [socketPath, `${socketPath}.lock`]
      : [this.#directory];
    // With a descriptor, the fake has created no file.
    if (socketPath === "") return;
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  }

  /** Calls `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(at: string | { fd: number }): Promise<void> {
    this.#events.emit("vmm", "starting");
    if (typeof at === "string") {
      // A real VMM locks this file; it stays when the process ends.
      writeFileSync(`${at}.lock`, "", { flag: "a", mode: 0o600 });
    }
    await this.#server.listen(at);
  }

  #end(exit: Exit): Promise<void> {
    this.#ending ??= (async () => {
      // The response to the request that ends the process is sent first.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#machine.exit(exit.code !== 0);
      await this.#server.close(leavesSocket(exit, this.#machine.release));
      if (this.#ownFd !== undefined) closeSync(this.#ownFd);
      this.#resolveExited(exit);
    })();
    return this.#ending;
  }
}
