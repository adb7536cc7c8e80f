/** What it costs to poll VMMs once a second; prints a {@linkcode Load}. */
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";
import { createClient } from "../mod.ts";

/** What one process takes. */
export interface Load {
  readonly vmms: number;
  /** Of one processor, in percent. */
  readonly cpu: number;
  readonly rss: number;
  /** The most sockets that were seen open. */
  readonly sockets: number;
}

const [seconds = "1", ...paths] = process.argv.slice(2);
const clients = paths.map((path) => createClient(path));
const polls = new Set<Promise<unknown>>();

function poll(): void {
  for (const { vmm } of clients) {
    const call = vmm.ping().finally(() => polls.delete(call));
    polls.add(call);
  }
}

function sockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// The first round warms up.
poll();
await wait(1000);
await Promise.all(polls);
const before = process.cpuUsage();
const start = performance.now();
let most = 0;
for (let second = 0; second < Number(seconds); second++) {
  poll();
  await wait(1);
  most = Math.max(most, sockets());
  await wait(999);
}
await Promise.all(polls);
const { user, system } = process.cpuUsage(before);
const load: Load = {
  vmms: paths.length,
  cpu: (user + system) / 10 / (performance.now() - start),
  rss: process.memoryUsage().rss,
  sockets: most,
};
console.log(JSON.stringify(load));
process.exit();
