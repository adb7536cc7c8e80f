/** A fake VMM for tests: the API on a real socket, and no VM behind it. */
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";
import type { OperationName } from "../src/generated/api.gen.ts";
import { requests } from "../src/generated/schemas.gen.ts";
import type { RestoreConfig, VmConfig } from "../src/generated/types.gen.ts";
import { encode } from "../src/json.ts";
import {
  type Call,
  failure,
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
import { Killed, Machine, Panic } from "./machine.ts";
import { messages } from "./messages.ts";
import type { Request } from "./parser.ts";
import { Refusal } from "./refusal.ts";
import { type Release, type ReleaseName, releases } from "./release.ts";
import { deserialize } from "./serde.ts";
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
  /** A VM that runs from the start. */
  readonly boot?: VmConfig;
  /** A snapshot to start from. */
  readonly restore?: RestoreConfig;
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

/** A start that failed; `chain` is what the program would print. */
export class StartError extends Error {
  readonly chain: readonly string[];

  constructor(chain: readonly string[]) {
    super(chain.join(": "));
    this.name = "StartError";
    this.chain = chain;
  }
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
   * @throws {StartError} if another VMM listens on the path, or if the VM that
   * is to run from the start does not.
   * @throws {TypeError} at an unknown release or operation.
   */
  static async start(options: FakeVmmOptions = {}): Promise<FakeVmm> {
    const { socketPath, socketFd, boot, restore } = options;
    const directory = socketPath === undefined && socketFd === undefined
      ? mkdtempSync(join(tmpdir(), "fake-vmm-"))
      : undefined;
    const path = socketFd !== undefined
      ? ""
      : absolute(socketPath ?? join(directory!, "api.sock"));
    if (socketPath !== undefined) await free(path);
    const vmm = new FakeVmm(path, directory, options);
    await vmm.#listen(socketFd === undefined ? path : { fd: socketFd });
    try {
      if (boot !== undefined) {
        vmm.#perform("vm.create", boot, "Error creating VM");
        vmm.#perform("vm.boot", undefined, "Error booting VM");
      }
      if (restore !== undefined) {
        vmm.#perform("vm.restore", restore, "Error restoring VM");
      }
    } catch (error) {
      await vmm.#end(1, true);
      throw error;
    }
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

  /** Ends the process as SIGTERM does: the VM is shut down before. */
  async terminate(): Promise<void> {
    // A migration that comes in, or an answer that hangs, holds a signal up.
    if (this.#server.busy || this.#over !== undefined) return;
    this.#machine.perform("vmm.shutdown", undefined);
    await this.#over;
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
    this.#events.emit("vmm", "starting");
    if (typeof at === "string") {
      // The real one locks this file; it stays when the process ends.
      writeFileSync(`${at}.lock`, "", { flag: "a", mode: 0o600 });
    }
    await this.#server.listen(at);
  }

  /** Carries out what a flag asks for, as a request would. */
  #perform(operation: OperationName, body: unknown, failure: string): void {
    const { release } = this.#machine;
    const schema = requests[operation];
    try {
      const value = schema === undefined ? undefined : deserialize(
        release,
        schema,
        Buffer.from(encode(body)!),
      );
      this.#machine.perform(operation, value);
    } catch (error) {
      const chain = error instanceof Refusal
        ? [messages[operation], ...error.chain]
        : [(error as Error).message];
      throw new StartError([failure, ...chain]);
    }
  }

  #end(code: number, crash: boolean): Promise<void> {
    this.#over ??= (async () => {
      // The answer to the request that ends it comes first.
      await new Promise((resolve) => setImmediate(resolve));
      this.#machine.dissolve();
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
    if (error instanceof Killed) {
      void this.#end(SIGSYS, true);
      return "cut";
    }
    if (error instanceof Panic) {
      void this.#end(1, true);
      return panicked;
    }
    return failure(500, [
      "bug in the fake VMM",
      String((error as Error).stack),
    ]);
  }
}

/** The exit code of a process that was ended by SIGSYS. */
const SIGSYS = 128 + 31;

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
    throw new StartError([
      "Failed to start the VMM thread",
      `API socket ${JSON.stringify(path)} is already in use by another ` +
      "running instance",
    ]);
  }
  rmSync(path, { force: true });
}
