/**
 * The time of a restore by mode and size, with the VMM that CLOUD_HYPERVISOR
 * names: `deno task bench:restore`. It prints a table for results.md.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { spawnVmm } from "../src/process/mod.ts";
import { restoreVm, snapshotVm } from "../src/workflows/mod.ts";
import { smallVm } from "../tests/support/vmms.ts";

const ROUNDS = 3;
const MODES = ["Copy", "OnDemand"] as const;
const SIZES = [64, 512, 1024];

/** The median of the milliseconds of some restores of one snapshot. */
async function measure(
  snapshot: string,
  memory_restore_mode: typeof MODES[number],
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const vmm = await spawnVmm();
    try {
      const start = performance.now();
      await restoreVm(vmm, snapshot, { memory_restore_mode });
      times.push(performance.now() - start);
    } finally {
      await vmm.kill();
    }
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

async function takeSnapshot(directory: string, mib: number): Promise<string> {
  const snapshot = join(directory, `${mib}`);
  const memory = { size: mib << 20 };
  const vmm = await spawnVmm({ config: smallVm(directory, { memory }) });
  try {
    await snapshotVm(vmm, snapshot);
  } finally {
    await vmm.kill();
  }
  return snapshot;
}

if (import.meta.main) {
  if (!process.env["CLOUD_HYPERVISOR"]) {
    console.error("set CLOUD_HYPERVISOR: the fake has no memory");
    process.exit(2);
  }
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-"));
  try {
    console.log("| memory | mode | median, ms | ratio |");
    console.log("| --- | --- | --- | --- |");
    let first: number | undefined;
    for (const mib of SIZES) {
      const snapshot = await takeSnapshot(directory, mib);
      for (const mode of MODES) {
        const ms = await measure(snapshot, mode);
        first ??= ms;
        const ratio = (ms / first).toFixed(2);
        console.log(`| ${mib} MiB | ${mode} | ${ms.toFixed(1)} | ${ratio} |`);
      }
      rmSync(snapshot, { recursive: true });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}
