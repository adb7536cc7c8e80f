// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm, type VmmProcess } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { waitForState } from "@chv/cloud-hypervisor/workflows";
import process from "node:process";

/**
 * Boots several VMs at once, prints a table of them, and stops all of them on
 * Ctrl-C or SIGTERM, or when one of them does not start. Takes the installed
 * cloud-hypervisor, else the fake.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net many.ts [how many] [kernel]
 *     bun many.ts [how many] [kernel]
 *     node many.ts [how many] [kernel]
 */
const [count = "10", kernel = "/boot/vmlinux"] = process.argv.slice(2);
const guest = { powersOffAfterMs: 10 };
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);

/** Every VMM that has started, so that `finally` can stop it. */
const vmms: VmmProcess[] = [];

async function start(): Promise<void> {
  const vmm = await spawnVmm({
    ...program,
    config: {
      payload: { kernel },
      cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
      memory: { size: 64 << 20 },
      serial: { mode: "Off" },
      console: { mode: "Off" },
    },
    // Ctrl-C asks the guest to power off; a second Ctrl-C kills the VMM.
    onSignal: "stop",
    stopTimeoutMs: 5000,
  });
  // Before the next `await`, which may fail: the handle would be lost.
  vmms.push(vmm);
  await waitForState(vmm, "Running", { timeoutMs: 60_000 });
}

try {
  // Waits for all starts, also when one has failed: no VMM is left behind.
  const starts = await Promise.allSettled(
    Array.from({ length: +count }, start),
  );
  const failed = starts.find(({ status }) => status === "rejected");
  if (failed) throw (failed as PromiseRejectedResult).reason;
  console.table(vmms.map(({ pid, socketPath }) => ({ pid, socketPath })));
  await Promise.all(vmms.map(({ exited }) => exited));
} finally {
  await Promise.all(vmms.map((vmm) => vmm.stop({ timeoutMs: 5000 })));
}
