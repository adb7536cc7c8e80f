// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { connectVmm, listVmms, spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * Keeps VMs beyond the script, each in a directory of the first argument: `up`
 * starts a VM or finds it running, `ls` lists all, `down` ends one. Takes the
 * installed cloud-hypervisor, else the fake.
 *
 *     deno run -A keep.ts <directory> up <name> [kernel]
 *     bun keep.ts <directory> ls
 *     node keep.ts <directory> down <name>
 */
const [parent, command, name, kernel = "/boot/vmlinux"] = process.argv.slice(2);
if (!parent || command !== "ls" && !name) {
  console.error("keep.ts <directory> up <name> [kernel] | ls | down <name>");
  process.exit(1);
}
mkdirSync(parent, { recursive: true });

if (command === "up") {
  const program = fakeUnlessInstalled({ files: "any" });
  console.log(`VMM: ${program.name}`);
  const directory = join(parent, name!);
  const { pid } = await spawnVmm({
    ...program,
    directory,
    detach: true,
    config: {
      payload: { kernel },
      cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
      memory: { size: 64 << 20 },
      // A console that needs no reader.
      serial: { mode: "File", file: join(directory, "serial.log") },
      console: { mode: "Off" },
    },
  });
  console.log(`${name} runs in VMM ${pid}`);
} else if (command === "down") {
  const vmm = await connectVmm(join(parent, name!));
  const { step } = await vmm.stop({ timeoutMs: 10_000 });
  console.log(`${name} was ended by ${step}`);
} else {
  for (const { directory, pid, isAlive } of await listVmms(parent)) {
    console.log(`${directory}: ${isAlive ? `VMM ${pid}` : "ended"}`);
  }
}
