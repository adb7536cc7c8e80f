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
const interrupt = new AbortController();
const { signal } = interrupt;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
}
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
    // Until it resolves, `spawnVmm` ends the VMM on an abort. After that, the
    // script does, so that the guest is asked to power off.
    signal,
    onSignal: "ignore",
  });
  // Before the next `await`: an abort there would lose the handle.
  vmms.push(vmm);
  await waitForState(vmm, "Running", { signal, timeoutMs: 60_000 });
}

try {
  // Waits for every start, also when one has failed: none is left behind.
  const starts = await Promise.allSettled(
    Array.from({ length: +count }, start),
  );
  for (const { reason } of starts.filter((one) => one.status === "rejected")) {
    throw reason;
  }
  console.table(vmms.map(({ pid, socketPath }) => ({ pid, socketPath })));
  const ended = Promise.all(vmms.map(({ exited }) => exited));
  const interrupted = new Promise((resolve) =>
    signal.addEventListener("abort", resolve)
  );
  await Promise.race([ended, interrupted]);
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  const stops = vmms.map((vmm) => vmm.stop({ timeoutMs: 5000 }));
  for (const { step } of await Promise.all(stops)) {
    console.log(`a VMM ended after ${step}`);
  }
}
