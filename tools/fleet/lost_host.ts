/**
 * Switches off a host of examples/fleet, agent and VMMs, in the middle of moves
 * both ways: `lost_host.ts [rounds]`. Prints where the VMs are afterwards, and
 * after the host has come back.
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { LocalFleet } from "../../examples/fleet/local.ts";
import type { Drain, Vm } from "../../examples/fleet/fleet.ts";
import { waitUntilIdle } from "./chaos.ts";
import { configOf } from "./config.ts";
import { findFaults } from "./find_faults.ts";

const rounds = Number(process.argv[2] ?? 1);
const names = Array.from({ length: 8 }, (_, n) => `vm${n}`);
let failed = false;

for (let round = 0; round < rounds; round++) {
  await LocalFleet.run(["a", "b"], async (fleet) => {
    const { ingress } = fleet;
    const vms = names
      .map((name) => ingress.objectClient<Vm>({ name: "vm" }, name));
    const config = configOf(fleet.directory);
    await Promise.all(vms.map((vm) => vm.create(config)));
    const moves = Promise.allSettled(vms.map((vm) => vm.migrate()));
    await pause(Math.random() * 1000);
    await fleet.kill("a");
    await fleet.killVmms("a");
    const start = performance.now();
    const drain = ingress.serviceClient<Drain>({ name: "drain" });
    await drain.run({ host: "a", lost: true });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const ends = (await moves).map(({ status }) => status);
    const moved = ends.filter((status) => status === "fulfilled").length;
    await fleet.start("a");
    await waitUntilIdle(fleet);
    const faults = await findFaults(fleet, names);
    console.log(
      `round ${round}: healed in ${seconds} s, ${moved} of 8 moves answered, ` +
        `${faults.length} faults after the return`,
    );
    for (const fault of faults) console.log(`  ${fault}`);
    failed ||= faults.length > 0;
  });
}
process.exit(failed ? 1 : 0);
