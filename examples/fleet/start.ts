/** Shows a fleet of three hosts on this machine: `start.ts [number of VMs]`. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { placesOf } from "./engine.ts";
import type { Drain, Vm } from "./fleet.ts";
import { LocalFleet } from "./local.ts";

const count = Number(process.argv[2] ?? 20);
const config: VmConfig = {
  payload: { kernel: process.env["KERNEL"] ?? "/boot/vmlinux" },
  cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
  memory: { size: 64 << 20 },
};
const { isTTY } = process.stdout;
console.log(`${count} VMs of ${fakeUnlessInstalled().name}`);

await LocalFleet.run(["a", "b", "c"], async (fleet) => {
  /** Prints where the VMs are: in a terminal also while the work goes on. */
  async function show(title: string, work: PromiseLike<unknown>) {
    const start = performance.now();
    let back = "";
    const print = async () => {
      const places = await placesOf(fleet.engine);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${back}${title}: ${seconds} s`);
      for (const id of fleet.hosts) {
        const here = places.filter(({ host }) => host === id);
        console.log(` ${id}: ${here.map(({ vm }) => vm).join(" ")}`);
      }
      back = `\x1b[${fleet.hosts.length + 1}A\x1b[J`;
    };
    const done = Promise.resolve(work).then(() => true, () => true);
    while (isTTY && !await Promise.race([done, pause(500, false)])) {
      await print().catch(() => {}); // The engine may be away.
    }
    await work;
    await print();
  }
  const vms = Array.from(
    { length: count },
    (_, index) => fleet.ingress.objectClient<Vm>({ name: "vm" }, `vm${index}`),
  );
  const drain = fleet.ingress.serviceClient<Drain>({ name: "drain" });

  await show("placed", Promise.all(vms.map((vm) => vm.create(config))));
  const moves = vms.slice(0, 4).map((vm) => vm.migrate());
  const restart = fleet.kill("b").then(() => fleet.start("b"));
  const title = "four moved, while agent b was killed";
  await show(title, Promise.all([...moves, restart]));
  await show("host a drained", drain.run({ host: "a" }));
  await fleet.kill();
  await show("all killed but the VMs, and started", fleet.startAll());
  await show("removed", Promise.all(vms.map((vm) => vm.remove())));
});
