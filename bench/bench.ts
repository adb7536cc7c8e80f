/**
 * Where this client stands among the other ways to the socket: `deno task
 * bench`. `--quick` is a smoke test, `--runtime R` measures one runtime only,
 * `--out DIR` is where the results go; a real VMM is measured too where
 * `CLOUD_HYPERVISOR` names one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { spawnVmm } from "../src/process/mod.ts";
import { fakeCommand } from "../testing/mod.ts";
import { chart } from "./chart.ts";
import { bundle, cold } from "./cold.ts";
import type { Figure } from "./compare.ts";
import { growth } from "./growth.ts";
import type { Memory } from "./memory.ts";
import { full, type Plan, quick } from "./plan.ts";
import { report } from "./report.ts";
import type { Results } from "./results.ts";
import type { Loss } from "./rivals.ts";
import { output, type Runtime, runtimesOf } from "./runtimes.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    runtime: { type: "string", multiple: true, default: [] },
    out: {
      type: "string",
      default: fileURLToPath(new URL(".", import.meta.url)),
    },
  },
});
const size = values.quick ? "quick" : "full";
const plan: Plan = values.quick ? quick : full;

async function measure(runtime: Runtime): Promise<Results> {
  console.error(`${runtime.name} ${runtime.version}`);
  await using vmm = await spawnVmm({
    command: fakeCommand(),
    env: { FAKE_VMM_FILES: "any" },
  });
  const { socketPath } = vmm;
  const calls = await output<Figure[]>(
    runtime,
    "calls.ts",
    ...[socketPath, size, "fake"],
  );
  const losses = await output<Loss[]>(runtime, "rivals.ts", socketPath, size);
  const starts = await cold(runtime, socketPath, plan);
  const memory = await output<Memory[]>(runtime, "memory.ts", socketPath, size);
  const inner = await output<Figure[]>(runtime, "inner.ts", size);
  const loads = await growth(runtime, plan);
  const real = await measureReal(runtime);
  return { runtime, calls, losses, starts, inner, memory, loads, ...real };
}

async function measureReal(runtime: Runtime): Promise<Partial<Results>> {
  const command = process.env["CLOUD_HYPERVISOR"];
  if (!command) return {};
  await using vmm = await spawnVmm({ command });
  const args = [vmm.socketPath, size];
  return {
    real: await output<Figure[]>(runtime, "calls.ts", ...args, "real"),
    realLosses: await output<Loss[]>(runtime, "rivals.ts", ...args),
  };
}

function bundleSize(): number {
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-"));
  try {
    return bundle(join(directory, "bundle.mjs"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const results: Results[] = [];
for (const runtime of runtimesOf(values.runtime)) {
  results.push(await measure(runtime));
}
mkdirSync(values.out, { recursive: true });
const write = (name: string, text: string): void =>
  writeFileSync(join(values.out, name), text);
write("results.md", report(results, bundleSize()));
write("results.svg", chart(results));
