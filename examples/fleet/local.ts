/** A whole fleet on this machine, each part as a process of its own. */
import { connectVmm, listVmms } from "@chv/cloud-hypervisor/process";
import { connect, type Ingress } from "@restatedev/restate-sdk-clients";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { ask, identityKey, query, startEngine } from "./engine.ts";
import type { Scheduler } from "./services.ts";

export { rpc } from "@restatedev/restate-sdk-clients";

type Work<T> = (fleet: LocalFleet) => Promise<T>;

export class LocalFleet {
  readonly directory: string = mkdtempSync(join(tmpdir(), "fleet-"));
  readonly hosts: readonly string[];
  /** The engine for callers. */
  readonly ingress: Ingress;
  /** The address of the engine's admin API. */
  readonly admin: string;
  readonly #ports: readonly number[];
  readonly #children = new Map<string, ChildProcess>();

  private constructor(hosts: readonly string[], ports: readonly number[]) {
    this.hosts = hosts;
    this.#ports = ports;
    this.ingress = connect({ url: `http://127.0.0.1:${ports[0]}` });
    this.admin = `http://127.0.0.1:${ports[1]}`;
  }

  /** Runs a fleet, and leaves nothing behind. */
  static async run<T>(hosts: string[], work: Work<T>): Promise<T> {
    const fleet = new LocalFleet(hosts, await freePorts(4 + hosts.length));
    try {
      await fleet.startAll();
      const scheduler = fleet.ingress
        .objectClient<Scheduler>({ name: "scheduler" }, "all");
      for (const id of hosts) await scheduler.change({ id, room: 100 });
      return await work(fleet);
    } finally {
      await fleet.kill();
      for (const id of hosts) await fleet.killVmms(id);
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
    const directory = `${this.directory}/engine`;
    if (part === "engine") {
      this.#children.set(part, startEngine(directory, this.#ports));
      // The engine reports healthy before it answers.
      return await until(() => query(this.admin, "SELECT key FROM state"));
    }
    const port = String(this.#ports[4 + this.hosts.indexOf(part)]);
    const args = part === "fleet" ? ["fleet.ts", port, this.admin] : [
      process.env["FLEET_HOST"] ?? "host.ts",
      part,
      `${this.directory}/${part}`,
      port,
    ];
    const child = spawn(
      process.execPath,
      [...RUN, ...args, identityKey(directory)],
      { cwd: import.meta.dirname, stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#children.set(part, child);
    const body = { uri: `http://127.0.0.1:${port}`, force: true };
    await until(() => {
      if (child.exitCode !== null) throw new Error(`${part} has ended`);
      return ask(this.admin, "POST deployments", body);
    });
  }

  /** Kills parts by SIGKILL, by default all. The VMs run on. */
  async kill(...parts: string[]): Promise<void> {
    for (const part of parts.length > 0 ? parts : this.#children.keys()) {
      const child = this.#children.get(part)!;
      if (child.kill("SIGKILL")) await once(child, "exit");
    }
  }

  /** Kills each VMM of a host, as a power failure does. */
  async killVmms(host: string): Promise<void> {
    for (const vmm of await listVmms(`${this.directory}/${host}`)) {
      await (await connectVmm(vmm.directory)).kill?.();
    }
  }
}

const RUN = "Deno" in globalThis ? ["run", "-A"] : [];

async function until(act: () => Promise<unknown>): Promise<void> {
  for (;; await pause(50)) {
    if (await act().then(() => true, () => false)) return;
  }
}

async function freePorts(length: number): Promise<number[]> {
  const servers = Array.from({ length }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, "listening")));
  return servers.map((server) => {
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  });
}
