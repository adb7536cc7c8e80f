// Runs as it is where the packages are installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" and "npm:cli-progress@3.12.0" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { migrateVm } from "@chv/cloud-hypervisor/workflows";
import progress from "cli-progress";
import process from "node:process";

/**
 * Moves a VM to another VMM with a progress bar: `migrate.ts [kernel]`. Takes
 * the installed cloud-hypervisor for both sides, else the fake.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const program = fakeUnlessInstalled({ files: "any" });
console.log(`VMM: ${program.name}`);
/** Percent at each stage. The VMM reports stages only, no bytes. */
const PERCENT = {
  started: 10,
  iteration: 50,
  switching: 80,
  finished: 100,
  failed: 0,
};

const source = await spawnVmm({
  ...program,
  config: {
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 128 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  },
});
const destination = await spawnVmm(program);
const bar = new progress.SingleBar({
  format: "{bar} {percentage} % {stage}",
  noTTYOutput: true,
  notTTYSchedule: 100,
});
try {
  bar.start(100, 0, { stage: "waiting" });
  const { state } = await migrateVm(source, destination, {
    timeoutMs: 60_000,
    onProgress: ({ stage }) => bar.update(PERCENT[stage], { stage }),
  });
  bar.stop();
  console.log(`${state} in VMM ${destination.pid}; ${source.pid} has ended`);
} finally {
  bar.stop();
  await source.stop({ timeoutMs: 1000 });
  await destination.stop({ timeoutMs: 1000 });
}
