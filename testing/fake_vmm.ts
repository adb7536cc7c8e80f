/** A fake VMM for tests: the API on a real socket, and no VM behind it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";
import { realClock } from "./machine/clock.ts";
import { countDisk, countNet, type Traffic } from "./machine/counters.ts";
import { type EmittedEvent, EventMonitor } from "./machine/event_monitor.ts";
import { type FaultRule, Faults } from "./api/faults.ts";
import { eject, guestReboot, panic, powerOff } from "./machine/guest_script.ts";
import { Host } from "./machine/host.ts";
import { Machine } from "./machine/machine.ts";
import {
  type Exit,
  type FakeVmmOptions,
  releaseOf,
  StartError,
} from "./options.ts";
import type { Release } from "./release.ts";
import { HttpServer } from "./http/server.ts";
import { type LoggedRequest, Service } from "./api/service.ts";

/**
 * A fake VMM on a Unix socket.
 *
 * It answers as cloud-hypervisor does, in its states, with its error chains,
 * and with the same limits on connections and bodies; it runs no guest.
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
  /** The path of its API socket, absolute; empty on a descriptor. */
  readonly socketPath: string;
  /** Resolves when the process would have ended. */
  readonly exited: Promise<Exit>;

  readonly #machine: Machine;
  readonly #server: HttpServer;
  readonly #events: EventMonitor;
  readonly #faults: Faults;
  readonly #service: Service;
  readonly #directory: string | undefined;
  #exit!: (exit: Exit) => void;
  #over: Promise<void> | undefined;

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
    this.exited = new Promise((resolve) => this.#exit = resolve);
    const clock = options.clock ?? realClock;
    this.#events = new EventMonitor(clock, options.eventFd);
    this.#faults = faults;
    this.#machine = new Machine({
      release,
      clock,
      events: this.#events,
      host: new Host(options.files ?? "real"),
      guest: options.guest ?? {},
      exit: (code, crash) => void this.#end(code, crash),
    });
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
   * @throws {StartError} if another VMM listens on the path, or if the VM that
   * is to run from the start does not.
   * @throws {TypeError} at an unknown release or operation.
   */
  static async start(options: FakeVmmOptions = {}): Promise<FakeVmm> {
    const { socketPath, socketFd, boot, restore } = options;
    // Before anything is made that would have to be removed.
    const release = releaseOf(options.release);
    const faults = new Faults(options.faults);
    const directory = socketPath === undefined && socketFd === undefined
      ? mkdtempSync(join(tmpdir(), "fake-vmm-"))
      : undefined;
    const path = socketFd !== undefined
      ? ""
      : absolute(socketPath ?? join(directory!, "api.sock"));
    if (socketPath !== undefined) await removeDeadSocket(path);
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
      await vmm.#end(1, true);
      throw error;
    }
    return vmm;
  }

  /** The requests so far, oldest first; parser errors are not among them. */
  get requests(): readonly LoggedRequest[] {
    return this.#service.requests;
  }

  /** How many connections are open. */
  get openConnections(): number {
    return this.#server.openConnections;
  }

  /** The events so far, oldest first. */
  get events(): readonly EmittedEvent[] {
    return this.#events.log;
  }

  /** Resolves to the first event of this name, past or to come. */
  event(name: string): Promise<EmittedEvent> {
    return this.#events.wait(name);
  }

  /**
   * Adds a failure on demand.
   *
   * @throws {TypeError} at an unknown operation.
   */
  injectFault(rule: FaultRule): void {
    this.#faults.add(rule);
  }

  /** Takes all failures on demand back. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Lets the guest do a thing at once, whatever its script says. */
  act(
    deed: "powerOff" | "reboot" | "panic" | {
      /** The id of a device that was removed. */
      readonly eject: string;
    },
  ): void {
    const machine = this.#machine;
    if (typeof deed === "object") return eject(machine, deed.eject);
    if (machine.instance === undefined) return;
    if (deed === "powerOff") powerOff(machine);
    else if (deed === "reboot") guestReboot(machine);
    else panic(machine);
  }

  /**
   * Lets the guest use a disk or a net device, so that its counters move.
   *
   * @throws {TypeError} if there is no such device.
   */
  recordTraffic(
    id: string,
    direction: "read" | "write" | "rx" | "tx",
    traffic: Traffic,
  ): void {
    const counters = this.#machine.instance?.devices.get(id)?.counters;
    const disk = direction === "read" || direction === "write";
    const fits = counters !== undefined &&
      (disk ? "read_ops" : "rx_frames") in counters;
    if (!fits) {
      throw new TypeError(
        `no ${disk ? "disk" : "net device"} of a booted VM is called ${id}`,
      );
    }
    if (disk) countDisk(counters, direction, traffic);
    else countNet(counters, direction, traffic);
  }

  /** Ends the process as SIGKILL or a bug does: the socket file stays. */
  crash(): Promise<void> {
    return this.#end(1, true);
  }

  /** Ends the process as SIGTERM does: the VM is shut down before. */
  async terminate(): Promise<void> {
    // A migration that comes in, or an answer that hangs, holds a signal up.
    if (this.#server.busy || this.#over !== undefined) return;
    try {
      this.#machine.perform("vmm.shutdown", undefined);
    } catch {
      // A migration under way is said to hold it up, and does not.
    }
    await this.#over;
  }

  /** Ends it and removes what it has made: socket, lock file, directory. */
  async close(): Promise<void> {
    await this.#end(0, false);
    const { socketPath } = this;
    const made = this.#directory === undefined
      ? [socketPath, `${socketPath}.lock`]
      : [this.#directory];
    // On a descriptor, it has made none.
    if (socketPath === "") return;
    for (const path of made) rmSync(path, { recursive: true, force: true });
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(at: string | { fd: number }): Promise<void> {
    this.#events.emit("vmm", "starting");
    if (typeof at === "string") {
      // The real one locks this file; it stays when the process ends.
      writeFileSync(`${at}.lock`, "", { flag: "a", mode: 0o600 });
    }
    await this.#server.listen(at);
  }

  #end(code: number, crash: boolean): Promise<void> {
    this.#over ??= (async () => {
      // The answer to the request that ends it comes first.
      await new Promise((resolve) => setImmediate(resolve));
      this.#machine.exit();
      await this.#server.close(crash);
      this.#exit({ code });
    })();
    return this.#over;
  }
}

/** Removes a socket that nothing listens on. */
async function removeDeadSocket(path: string): Promise<void> {
  const inUse = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (inUse) {
    throw new StartError([
      "Failed to start the VMM thread",
      `API socket ${JSON.stringify(path)} is already in use by another ` +
      "running instance",
    ]);
  }
  rmSync(path, { force: true });
}
