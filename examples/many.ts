// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmms } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import process from "node:process";

/**
 * Boots several VMs at once, prints a table of them, and runs until all have
 * ended. Ctrl-C or SIGTERM stops all of them, and so does one that does not
 * start. Takes the installed cloud-hypervisor, else the fake.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net many.ts [how many] [kernel]
 *     bun many.ts [how many] [kernel]
 *     node many.ts [how many] [kernel]
 */
const [count = "10", kernel = "/boot/vmlinux"] = process.argv.slice(2);
const guest = { powersOffAfterMs: 10 };
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);

const group = await spawnVmms(Array.from({ length: +count }, () => ({
  ...program,
  config: {
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 64 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  },
  // Ctrl-C asks the guests to power off; a second Ctrl-C kills the VMMs.
  onSignal: "stop",
  stopTimeoutMs: 5000,
})));
console.table(group.vmms.map(({ name, pid, socketPath }) => ({
  name,
  pid,
  socketPath,
})));
console.table(await group.ended);
