/**
 * Eight clients make random calls for minutes, while their VMM is killed and
 * started again: `--minutes 10`, on any runtime. The VMM is the fake, or what
 * `CLOUD_HYPERVISOR` names. It fails at a leak, a lost or doubled request, an
 * undocumented error or an unhandled one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient } from "../../mod.ts";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { files } from "../../tests/faults/watch.ts";
import { below, callAtRandom } from "./calls.ts";
import { Ledger } from "./ledger.ts";
import { Memory } from "./memory.ts";
import { startProxy } from "./proxy.ts";
import { freshSeed } from "../../tests/support/random.ts";
import { smallVm, sparse } from "../../tests/support/vmms.ts";

const CLIENTS = 8;
const MAX_GROWTH_MB = 64;
/** By when all has ended that has a deadline. */
const GRACE_MS = 60_000;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" } },
});
const endsAt = Date.now() + Number(values.minutes) * 60_000;
const isOver = (): boolean => Date.now() >= endsAt;

const directory = mkdtempSync(join(tmpdir(), "chv-soak-"));
const ledger = new Ledger();
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => ledger.violations.push(`${event}: ${error}`));
}

const command = process.env["CLOUD_HYPERVISOR"] ?? fakeCommand();
const start = (): Promise<VmmProcess> =>
  spawnVmm({
    command,
    directory: join(directory, "vmm"),
    env: { FAKE_VMM_FILES: "any" },
  });

const config = {
  ...smallVm(directory),
  disks: [{ path: sparse(join(directory, "disk.raw")) }],
};
let vmm = await start();
await vmm.kill();
// The first VMM has opened what the runtime then keeps.
const before = files();
vmm = await start();
const proxyPath = join(directory, "proxy.sock");
const proxy = await startProxy(
  proxyPath,
  vmm.socketPath,
  (request) => ledger.saw(request),
);
const memory = new Memory();
// All of the VMM's ten, so that a full house is met at times.
const clients = Array.from(
  { length: CLIENTS },
  (_, i) => createClient(proxyPath, { maxConnections: i < 2 ? 2 : 1 }),
);

let kills = 0;
const work = Promise.all(
  clients.map((client) => callAtRandom(client, config, ledger, isOver)),
);
while (!isOver()) {
  const left = Math.max(1, endsAt - Date.now());
  await delay(Math.min(left, 500 + below(3000)));
  memory.take();
  await vmm.kill();
  kills++;
  vmm = await start();
}
const patience = new AbortController();
await Promise.race([
  work.then(() => proxy.idle()),
  delay(GRACE_MS, undefined, patience),
]);
patience.abort();

clients.forEach((client) => client.close());
await vmm.kill();
ledger.audit();
if (proxy.open() > 0) {
  ledger.violations.push(`${proxy.open()} connections stay open`);
}
await proxy.close();
if (files() > before) {
  ledger.violations.push(`${files()} files are open, ${before} before`);
}
const [early, late] = memory.trend();
// A heap takes its time to find its size.
const isLong = Number(values.minutes) >= 1;
if (isLong && late > early + MAX_GROWTH_MB) {
  ledger.violations.push(`memory went from ${early} to ${late} MiB`);
}
rmSync(directory, { recursive: true, force: true });

const outcomes = [...ledger.outcomes].sort(([, a], [, b]) => b - a)
  .map(([code, count]) => `${count} ${code}`).join(", ");
ledger.violations.slice(0, 50).forEach((violation) => console.log(violation));
console.log(
  `soak: seed ${freshSeed}, ${ledger.calls} calls, ${kills} kills, ${early} to ${late} MiB, ` +
    `${ledger.violations.length} violations; ${outcomes}`,
);
process.exit(ledger.violations.length > 0 ? 1 : 0);
