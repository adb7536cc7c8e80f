// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { mergeEvents } from "@chv/cloud-hypervisor/events";
import { spawnVmms } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import process from "node:process";

/**
 * Logs the events of three VMs until all have ended, by a power-off, a reboot or
 * Ctrl-C, and prints how each ended. Takes the installed cloud-hypervisor, else
 * the fake.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net events.ts [kernel]
 *     bun events.ts [kernel]
 *     node events.ts [kernel]
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const guest = { endsAfterMs: 500, powersOffAfterMs: 10 };
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);

const cpus = { boot_vcpus: 1, max_vcpus: 1, nested: false };
const config = { payload: { kernel }, cpus };
const rules = { onSignal: "stop", stopTimeoutMs: 5000 } as const;
const options = { ...program, ...rules, config, onReboot: "end" } as const;
const group = await spawnVmms({ web: options, db: options, cache: options });
for await (const { vm, source, event } of mergeEvents(group.vmms)) {
  console.log(`${vm}: ${source} ${event}`);
}
console.table(await group.ended);
