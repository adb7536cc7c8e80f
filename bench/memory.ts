/** The memory after so many calls; prints {@linkcode Memory}s as JSON. */
import process from "node:process";
import { createClient } from "../mod.ts";
import { lanes } from "./lanes.ts";
import { full, quick } from "./plan.ts";

/** What this process holds after a collection. */
export interface Memory {
  readonly calls: number;
  readonly heap: number;
  readonly rss: number;
}

const [socketPath = "", size] = process.argv.slice(2);
const { step, steps } = size === "quick" ? quick : full;
const { vmm } = createClient(socketPath);
const { gc } = globalThis as unknown as { gc(): void };

const memory: Memory[] = [];
for (let done = 1; done <= steps; done++) {
  await lanes(step, 4, () => vmm.ping());
  // What a collection frees may hold what the next one frees.
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed: heap, rss } = process.memoryUsage();
  memory.push({ calls: done * step, heap, rss });
}
console.log(JSON.stringify(memory));
process.exit();
