/** A fake VMM for tests: the API on a real socket, and no VM behind it. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";
import type { OperationName } from "../src/generated/api.gen.ts";
import {
  type Call,
  operationAt,
  panicked,
  refusal,
  route,
  success,
} from "./api.ts";
import { type Clock, realClock } from "./clock.ts";
import { countDisk, countNet, type Traffic } from "./counters.ts";
import { EventMonitor, type MonitorEvent } from "./events.ts";
import { type FaultRule, Faults, suffer } from "./faults.ts";
import {
  eject,
  guestReboot,
  type GuestScript,
  panic,
  powerOff,
} from "./guest.ts";
import { type Files, Host } from "./host.ts";
import { Machine, Panic } from "./machine.ts";
import type { Request } from "./parser.ts";
import { Refusal } from "./refusal.ts";
import { type Release, type ReleaseName, releases } from "./release.ts";
import { HttpServer, type Reply } from "./server.ts";

/** How a fake VMM is to be. */
export interface FakeVmmOptions {
  /**
   * Where it listens.
   *
   * @default a path in a private temporary directory, removed on close
   */
  readonly socketPath?: string;
  /** Listens on this descriptor instead. */
  readonly socketFd?: number;
  /** The release that it is. @default "v54.0-dev" */
  readonly release?: ReleaseName;
  /**
   * Whether kernels, disks and the like must exist (`real`, as for the real
   * one), or whatever path is named is taken to be there (`any`).
   *
   * @default "real"
   */
  readonly files?: Files;
  /** What the guest does on its own. @default nothing */
  readonly guest?: GuestScript;
  /** Failures on demand; `fail()` adds more. */
  readonly faults?: readonly FaultRule[];
  /** The time of delays and of the guest. @default the real one */
  readonly clock?: Clock;
  /** A descriptor that gets the events, as `--event-monitor fd=`. */
  readonly eventFd?: number;
}

/** A request that the fake has read. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  /** The operation at that path, if there is one. */
  readonly operation: OperationName | undefined;
  /** The body as text; empty without one. */
  readonly body: string;
  /** The status of the answer; undefined until there is one. */
  readonly status: number | undefined;
}

/** How the process would have ended. */
export interface Exit {
  readonly code: number;
}

/**
 * A fake VMM on a Unix socket.
 *
 * It answers as cloud-hypervisor does, in its states, with its error chains,
 * and with the same limits on connections and bodies; it runs no guest.
 *
 * @example
 * ```ts
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
  readonly #clock: Clock;
  readonly #faults = new Faults();
  readonly #requests: LoggedRequest[] = [];
  readonly #directory: string | undefined;
  #exit!: (exit: Exit) => void;
  #over: Promise<void> | undefined;

  /** Use `FakeVmm.start()`. */
  private constructor(
    socketPath: string,
    directory: string | undefined,
    options: FakeVmmOptions,
  ) {
    this.socketPath = socketPath;
    this.#directory = directory;
    this.exited = new Promise((resolve) => this.#exit = resolve);
    this.#clock = options.clock ?? realClock;
    this.#events = new EventMonitor(this.#clock, options.eventFd);
    for (const rule of options.faults ?? []) this.#faults.add(rule);
    const release = releaseOf(options.release);
    this.#machine = new Machine({
      release,
      clock: this.#clock,
      events: this.#events,
      host: new Host(options.files ?? "real"),
      guest: options.guest ?? {},
      exit: (code, crash) => void this.#end(code, crash),
    });
    this.#server = new HttpServer(
      release,
      (request) => this.#answer(release, request),
    );
  }

  /**
   * Starts a fake VMM.
   *
   * @throws {Error} if something else listens on the path.
   * @throws {TypeError} at an unknown release or operation.
   */
  static async start(options: FakeVmmOptions = {}): Promise<FakeVmm> {
    const { socketPath, socketFd } = options;
    if (socketFd !== undefined) {
      const vmm = new FakeVmm("", undefined, options);
      await vmm.#listen({ fd: socketFd });
      return vmm;
    }
    if (socketPath !== undefined) {
      await free(socketPath);
      const vmm = new FakeVmm(absolute(socketPath), undefined, options);
      await vmm.#listen(vmm.socketPath);
      return vmm;
    }
    const directory = mkdtempSync(join(tmpdir(), "fake-vmm-"));
    chmodSync(directory, 0o700);
    const vmm = new FakeVmm(join(directory, "api.sock"), directory, options);
    await vmm.#listen(vmm.socketPath);
    return vmm;
  }

  /** The requests so far, oldest first; parser errors are not among them. */
  get requests(): readonly LoggedRequest[] {
    return this.#requests;
  }

  /** How many connections are open. */
  get openConnections(): number {
    return this.#server.openConnections;
  }

  /** The events so far, oldest first. */
  get events(): readonly MonitorEvent[] {
    return this.#events.log;
  }

  /** Resolves to the first event of this name, past or to come. */
  event(name: string): Promise<MonitorEvent> {
    return this.#events.wait(name);
  }

  /**
   * Adds a failure on demand.
   *
   * @throws {TypeError} at an unknown operation.
   */
  fail(rule: FaultRule): void {
    this.#faults.add(rule);
  }

  /** Takes all failures on demand back. */
  heal(): void {
    this.#faults.clear();
  }

  /** Lets the guest do a thing at once, whatever its script says. */
  act(
    deed: "powerOff" | "reboot" | "panic" | { readonly eject: string },
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
  transfer(
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

  /** Ends it and removes what it has made. */
  async close(): Promise<void> {
    await this.#end(0, false);
    if (this.#directory !== undefined) {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(at: string | { fd: number }): Promise<void> {
    await this.#server.listen(at);
    this.#events.emit("vmm", "starting");
  }

  #end(code: number, crash: boolean): Promise<void> {
    this.#over ??= (async () => {
      // An answer that is on its way still gets out.
      await new Promise((resolve) => setImmediate(resolve));
      this.#machine.instance?.devices.release();
      await this.#server.close(crash);
      this.#exit({ code });
    })();
    return this.#over;
  }

  #answer(release: Release, request: Request): Reply | Promise<Reply> {
    const { method, path } = request;
    const operation = operationAt(path);
    const entry = {
      method,
      path,
      operation,
      body: request.body?.toString("utf8") ?? "",
      status: undefined as number | undefined,
    };
    this.#requests.push(entry);
    const log = (reply: Reply) => {
      if (reply !== "cut") entry.status = reply.status;
      return reply;
    };
    const work = () => this.#carryOut(release, request);
    const fault = operation && this.#faults.take(operation);
    const reply = fault === undefined
      ? work()
      : suffer(fault, this.#clock, work, () => void this.#end(1, true));
    return reply instanceof Promise ? reply.then(log) : log(reply);
  }

  #carryOut(release: Release, request: Request): Reply | Promise<Reply> {
    const call = route(release, request);
    if (call === "cut" || "status" in call) return call;
    try {
      const data = this.#machine.perform(call.operation, call.body);
      if (!(data instanceof Promise)) return success(call.operation, data);
      return data.then(
        (late) => success(call.operation, late),
        (error) => this.#failed(release, call, error),
      );
    } catch (error) {
      return this.#failed(release, call, error);
    }
  }

  #failed(release: Release, { operation }: Call, error: unknown): Reply {
    if (error instanceof Refusal) return refusal(release, operation, error);
    if (!(error instanceof Panic)) throw error;
    void this.#end(1, true);
    return panicked;
  }
}

function releaseOf(name: ReleaseName = "v54.0-dev"): Release {
  const release = Object.hasOwn(releases, name) ? releases[name] : undefined;
  if (release !== undefined) return release;
  throw new TypeError(
    `no release is called ${JSON.stringify(name)}: there are ` +
      Object.keys(releases).join(" and "),
  );
}

/** Removes a socket that nothing listens on. */
async function free(path: string): Promise<void> {
  const inUse = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (inUse) {
    throw new Error(`${path} is in use: another VMM listens there`);
  }
  rmSync(path, { force: true });
}
