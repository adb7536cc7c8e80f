/** Shows a fleet of three hosts on this machine: `start.ts [number of VMs]`. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import process from "node:process";
import { placesOf } from "./engine.ts";
import { LocalFleet } from "./local.ts";
import type { Drain, Vm } from "./services.ts";

const count = Number(process.argv[2] ?? 20);
const names = Array.from({ length: count }, (_, index) => `vm${index}`);
const config: VmConfig = {
  payload: { kernel: process.env["KERNEL"] ?? "/boot/vmlinux" },
  cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
  memory: { size: 64 << 20 },
};

await LocalFleet.run(["a", "b", "c"], async (fleet) => {
  /** Prints where the VMs are: each second, and after the work. */
  async function show(title: string, work: Promise<unknown>): Promise<void> {
    const start = performance.now();
    const print = async (): Promise<void> => {
      const places = [...await placesOf(fleet.admin)];
      const seconds = (performance.now() - start) / 1000;
      if (process.stdout.isTTY) console.clear();
      console.log(`${title}: ${seconds.toFixed(1)} s`);
      for (const id of fleet.hosts) {
        const here = places.filter(([, { host }]) => host === id);
        console.log(` ${id}: ${here.map(([name]) => name).join(" ")}`);
      }
    };
    const timer = setInterval(() => {
      if (process.stdout.isTTY) print().catch(() => {});
    }, 500);
    await work.finally(() => clearInterval(timer));
    await print();
  }
  const { ingress } = fleet;
  const vms = names.map((name) =>
    ingress.objectClient<Vm>({ name: "vm" }, name)
  );
  const drain = ingress.serviceClient<Drain>({ name: "drain" });

  await show("placed", Promise.all(vms.map((vm) => vm.create(config))));
  const moves = Promise.all(vms.slice(0, 4).map((vm) => vm.migrate()));
  await fleet.kill("b");
  await fleet.start("b");
  await show("four moved, while agent b was killed", moves);
  await show("host a drained", Promise.all([drain.run({ host: "a" })]));
  await fleet.kill();
  await show("all killed but the VMs, and started", fleet.startAll());
  await show("removed", Promise.all(vms.map((vm) => vm.remove())));
});
