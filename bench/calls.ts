/** What a call costs in this runtime; prints {@linkcode Figure}s as JSON. */
import process from "node:process";
import { createClient, type VmConfig } from "../mod.ts";
import { createSdk } from "../src/sdk/mod.ts";
import { bareTo } from "./bare/mod.ts";
import { large, long } from "./bodies.ts";
import { compare, type Figure } from "./compare.ts";
import { lanes } from "./lanes.ts";
import { full, quick } from "./plan.ts";
import { programs, runs } from "./programs.ts";

const [socketPath = "", size, kind] = process.argv.slice(2);
const plan = size === "quick" ? quick : full;
const bare = await bareTo(socketPath);
const client = createClient(socketPath);
const sdk = createSdk(socketPath);

async function single(call: "vmm.ping" | "vm.info"): Promise<Figure[]> {
  const ping = call === "vmm.ping";
  return await compare(ping ? "ping" : "vm.info, 64 devices", plan.calls, [
    { name: "bare", run: () => bare("GET", call) },
    { name: "bare again", run: () => bare("GET", call) },
    {
      name: "this client",
      run: () => ping ? client.vmm.ping() : client.vm.info(),
    },
    { name: "./sdk", run: () => ping ? sdk.vmm.ping() : sdk.vm.info() },
    ...programs().map(({ name, command }) => ({
      name,
      run: () => runs(command(socketPath, call)),
      every: plan.every,
    })),
  ]);
}

async function create(body: VmConfig): Promise<Figure[]> {
  const before = () => client.vm.delete();
  return await compare("vm.create, 100 KiB", Math.ceil(plan.calls / 8), [
    { name: "bare", before, run: () => bare("PUT", "vm.create", body) },
    { name: "bare again", before, run: () => bare("PUT", "vm.create", body) },
    { name: "this client", before, run: () => client.vm.create(body) },
    { name: "./sdk", before, run: () => sdk.vm.create({ body }) },
  ]);
}

async function burst(count: number): Promise<Figure[]> {
  const width = Math.min(count, 4);
  const ping = () => bare("GET", "vmm.ping");
  const all = (call: () => Promise<unknown>) => () =>
    Promise.all(Array.from({ length: count }, call));
  // A bare fetch has no line to wait in, so the row brings one.
  const line = () => lanes(count, width, ping);
  const rounds = Math.max(plan.bursts, Math.ceil(plan.calls / count / 2));
  return await compare(`${count} pings at once`, rounds, [
    { name: "bare", run: line },
    { name: "bare again", run: line },
    { name: "this client", run: all(() => client.vmm.ping()) },
    { name: "./sdk", run: all(() => sdk.vmm.ping()) },
  ]);
}

const figures = await single("vmm.ping");
await client.vm.create(large);
figures.push(...await single("vm.info"));
// The fake takes 100 KiB; an older VMM's limit is 50.
if (kind === "fake") figures.push(...await create(long));
await client.vm.delete();
for (const count of plan.sizes) figures.push(...await burst(count));
console.log(JSON.stringify(figures));
process.exit();
