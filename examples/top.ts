// Runs as it is where the packages are installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" and "npm:cli-table3@0.6.5" in the imports.
import { createClient, type VmCounters } from "@chv/cloud-hypervisor";
import Table from "cli-table3";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Prints how much running VMs read, write, receive and send in a second, again
 * and again: `top.ts [--rounds N] [--every MS] <socket>…`. Ctrl-C ends it.
 */
const args = process.argv.slice(2);
const rounds = option("--rounds", Infinity);
const everyMs = option("--every", 1000);
const clients = args.map((path) => createClient(path));
if (clients.length === 0) {
  console.error("usage: top.ts [--rounds N] [--every MS] <socket>…");
  process.exit(2);
}

const COLUMNS = {
  read: "read_bytes",
  written: "write_bytes",
  received: "rx_bytes",
  sent: "tx_bytes",
} as const;
type Sums = Record<keyof typeof COLUMNS, bigint>;
const before = new Map<string, { at: number; sums: Sums }>();
const history = new Map<string, number[]>();

for (let round = 0; round < rounds; round++) {
  if (round > 0) await delay(everyMs);
  const table = new Table({ head: ["VM", ...Object.keys(COLUMNS), "load"] });
  table.push(...await Promise.all(clients.map(readRates)));
  if (process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[J");
  console.log(table.toString());
}

async function readRates(
  { socketPath, vm }: (typeof clients)[number],
): Promise<string[]> {
  try {
    const sums = sumsOf(await vm.counters());
    const at = performance.now();
    const last = before.get(socketPath) ?? { at: at - 1, sums };
    before.set(socketPath, { at, sums });
    const rates = (Object.keys(COLUMNS) as (keyof Sums)[]).map((name) =>
      Number(sums[name] - last.sums[name]) / ((at - last.at) / 1000)
    );
    const load = rates.reduce((sum, rate) => sum + rate, 0);
    const loads = [...history.get(socketPath) ?? [], load].slice(-16);
    history.set(socketPath, loads);
    return [socketPath, ...rates.map(inBytes), sparkline(loads)];
  } catch (error) {
    // The VM may come back, so the next round asks again.
    const { code = String(error) } = error as { code?: string };
    return [socketPath, code, "", "", "", ""];
  }
}

function sumsOf(counters: VmCounters): Sums {
  const sum = (name: string): bigint =>
    Object.values(counters).reduce((all, one) => all + (one[name] ?? 0n), 0n);
  return {
    read: sum(COLUMNS.read),
    written: sum(COLUMNS.written),
    received: sum(COLUMNS.received),
    sent: sum(COLUMNS.sent),
  };
}

function inBytes(rate: number): string {
  const units = ["B/s", "KiB/s", "MiB/s", "GiB/s"];
  let unit = 0;
  for (; rate >= 1024 && unit < units.length - 1; unit++) rate /= 1024;
  return `${rate.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

function sparkline(values: number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const most = Math.max(...values, 1);
  return values.map((value) => bars[Math.round(value / most * 7)]).join("");
}

function option(name: string, otherwise: number): number {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : Number(args.splice(at, 2)[1]);
}
