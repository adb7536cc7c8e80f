/**
 * Measures examples/fleet with simulated hosts: `scale.ts [VMs] [hosts]` prints
 * the placements and moves a second, and the memory of the engine.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LocalFleet } from "../../examples/fleet/local.ts";
import type { Drain, Scheduler, Vm } from "../../examples/fleet/fleet.ts";
import { configOf } from "./config.ts";

const CALLERS = 64;
const [vms = "1000", count = "10"] = process.argv.slice(2);
process.env["FLEET_HOST"] = fileURLToPath(
  new URL("simulated_host.ts", import.meta.url),
);
const names = Array.from({ length: Number(vms) }, (_, n) => `vm${n}`);
const hosts = Array.from({ length: Number(count) }, (_, n) => `h${n}`);

await LocalFleet.run(hosts, async ({ directory, ingress }) => {
  const config = configOf(directory);
  const scheduler = ingress
    .objectClient<Scheduler>({ name: "scheduler" }, "all");
  // Room for all VMs of one host on the others.
  for (const id of hosts) await scheduler.change({ id, room: names.length });
  const vmOf = (name: string) => ingress.objectClient<Vm>({ name: "vm" }, name);
  const perSecond = async (
    title: string,
    of: readonly string[],
    work: (name: string) => PromiseLike<unknown>,
  ): Promise<void> => {
    const start = performance.now();
    const rest = [...of];
    await Promise.all(Array.from({ length: CALLERS }, async () => {
      for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
        await work(name);
      }
    }));
    const seconds = (performance.now() - start) / 1000;
    console.log(`${title}: ${(of.length / seconds).toFixed(1)} a second`);
  };
  await perSecond("placements", names, (name) => vmOf(name).create(config));
  const some = names.slice(0, names.length / 5);
  await perSecond("moves", some, (name) => vmOf(name).migrate());
  const start = performance.now();
  await ingress.serviceClient<Drain>({ name: "drain" }).run({ host: "h0" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`drain of one host: ${seconds} s`);
  for (const [program, megabytes] of memory(directory)) {
    console.log(`memory of ${program}: ${megabytes} MB`);
  }
});
process.exit();

/** The resident memory of the processes that work for a fleet. */
function memory(directory: string): [string, number][] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    .flatMap((pid): [string, number][] => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        if (!command.includes(directory)) return [];
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(status) ?? [];
        const [program = ""] = /restate-server|h\d+(?=\0)/.exec(command) ?? [];
        return [[program, Math.round(Number(kilobytes) / 1024)]];
      } catch {
        return []; // It has ended.
      }
    });
}
