/**
 * The chaos test of examples/fleet as a task: `deno task test:fleet --minutes N
 * --vms N --seed N`. Exits with 1 if a VM is lost, doubled, paused or rebooted.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { freshSeed } from "../../tests/support/random.ts";
import { runChaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    vms: { type: "string", default: "8" },
    seed: { type: "string", default: String(freshSeed) },
  },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
const result = await runChaos({ minutes, vms: Number(values.vms), seed });
const { moved, stayed, kills, link, moveMs, faults } = result;
const at = (part: number) =>
  Math.round(moveMs[Math.floor(moveMs.length * part)] ?? 0);
console.log(
  `fleet: ${moved} moved, ${stayed} stayed, killed ${JSON.stringify(kills)}, ` +
    `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${faults.length} faults, ` +
    `seed ${seed}`,
);
console.log(
  `link: ${result.killsInTransfers} kills during transfers, which hit ` +
    `${result.transfersHit}; ${link.begun} transfers, ${link.cut} cut, ` +
    `${Math.round(link.bytes / 2 ** 20)} MiB`,
);
for (const fault of faults) console.log(`  ${fault}`);
// Sockets of killed parts would keep the process.
process.exit(faults.length > 0 || moved === 0 ? 1 : 0);
