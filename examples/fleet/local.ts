/** A whole fleet on this machine, each part as a process of its own. */
import { connectVmm, listVmms } from "@chv/cloud-hypervisor/process";
import type { Ingress } from "@restatedev/restate-sdk-clients";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import * as engine from "./engine.ts";
import type { Scheduler } from "./fleet.ts";

export class LocalFleet {
  readonly directory: string = mkdtempSync(`${tmpdir()}/fleet-`);
  /** The directory of the engine. */
  readonly engine: string = `${this.directory}/engine`;
  readonly ingress: Ingress = engine.connectEngine(this.engine);
  hosts: readonly string[] = [];
  readonly #ports = new Map<string, number>();
  readonly #children = new Map<string, ChildProcess>();

  /** Runs a fleet, and leaves nothing behind, also after Ctrl-C. */
  static async run<T>(
    hosts: readonly string[],
    work: (fleet: LocalFleet) => Promise<T>,
  ): Promise<T> {
    const fleet = new LocalFleet();
    fleet.hosts = hosts;
    const interrupted = once(process, "SIGINT").then(() => {
      throw new Error("interrupted");
    });
    const working = fleet.startAll().then(async () => {
      const scheduler = fleet.ingress
        .objectClient<Scheduler>({ name: "scheduler" }, "all");
      for (const id of hosts) await scheduler.change({ id, room: 100 });
      return await work(fleet);
    });
    try {
      return await Promise.race([working, interrupted]);
    } finally {
      await fleet.kill();
      await fleet.killVmms();
      rmSync(fleet.directory, { recursive: true });
    }
  }

  /** Starts all parts; each goes on where it was. */
  async startAll(): Promise<void> {
    await this.start("engine");
    await Promise.all(["fleet", ...this.hosts].map((id) => this.start(id)));
  }

  /** Starts "engine", "fleet" or the agent of a host. */
  async start(part: string): Promise<void> {
    if (part === "engine") {
      this.#children.set(part, engine.startEngine(this.engine));
      // The engine reports healthy before it answers.
      return await until(() => engine.placesOf(this.engine));
    }
    const port = this.#ports.get(part) ?? await freePort();
    this.#ports.set(part, port);
    const common = [`${port}`, engine.identityKey(this.engine)];
    const args = part === "fleet"
      ? ["fleet.ts", ...common, this.engine]
      : [HOST, ...common, part, `${this.directory}/${part}`];
    const child = spawn(process.execPath, [...RUN, ...args], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#children.set(part, child);
    const body = { uri: `http://127.0.0.1:${port}`, force: true };
    await until(() => {
      if (child.exitCode !== null) throw new Error(`${part} has ended`);
      return engine.ask(this.engine, "POST deployments", body);
    });
  }

  /** Kills parts by SIGKILL, by default all. The VMs run on. */
  async kill(...parts: string[]): Promise<void> {
    for (const part of parts.length > 0 ? parts : this.#children.keys()) {
      const child = this.#children.get(part)!;
      if (child.kill("SIGKILL")) await once(child, "exit");
    }
  }

  /** Kills each VMM of a host, as a power failure does; by default all. */
  async killVmms(host = ""): Promise<void> {
    for (const { directory } of await listVmms(`${this.directory}/${host}`)) {
      await (await connectVmm(directory)).kill?.();
    }
  }
}

const RUN = "Deno" in globalThis ? ["run", "-A"] : [];
const HOST = process.env["FLEET_HOST"] ?? "host.ts";

async function until(act: () => Promise<unknown>): Promise<void> {
  while (!await act().then(() => true, () => false)) await pause(50);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
