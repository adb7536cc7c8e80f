// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on, and "npm:cli-progress@3.12.0".
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { migrateVm } from "@chv/cloud-hypervisor/workflows";
import progress from "cli-progress";
import process from "node:process";

/** Moves a VM to another VMM, and shows how far it is: `migrate.ts [kernel]`. */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
const options = {
  ...fake && fakeProgram({ files: "any" }),
};
/** How much is done at a stage; how many passes there will be is unknown. */
const SHARES = {
  started: 10,
  iteration: 50,
  switching: 80,
  finished: 100,
  failed: 0,
};

const source = await spawnVmm({
  ...options,
  config: {
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 128 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  },
});
const destination = await spawnVmm(options);
const bar = new progress.SingleBar({
  format: "{bar} {percentage} % {stage}",
  noTTYOutput: true,
  notTTYSchedule: 100,
});
try {
  bar.start(100, 0, { stage: "waiting" });
  const { state } = await migrateVm(source, destination, {
    timeoutMs: 60_000,
    onProgress: ({ stage }) => bar.update(SHARES[stage], { stage }),
  });
  bar.stop();
  console.log(`${state} in VMM ${destination.pid}; ${source.pid} has ended`);
} finally {
  bar.stop();
  await source.stop({ timeoutMs: 1000 });
  await destination.stop({ timeoutMs: 1000 });
}
