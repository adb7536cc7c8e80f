// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Boots a kernel and prints the first line that the guest writes to its serial
 * console: `serial.ts [kernel]`. Takes the installed cloud-hypervisor, else
 * the fake with a guest that writes one line.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const guest = { serialOutput: "hello from the fake\n" };
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
try {
  const file = join(vmm.directory, "serial");
  await vmm.client.vm.create({
    payload: { kernel, cmdline: "console=ttyS0" },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 256 << 20 },
    serial: { mode: "File", file },
    console: { mode: "Off" },
  });
  const line = firstLine(file, AbortSignal.timeout(30_000));
  await vmm.client.vm.boot();
  console.log(await Promise.race([line, vmm.exited]));
} finally {
  await vmm.stop({ timeoutMs: 1000 });
}

/** Reads the file again and again until it contains a whole line. */
async function firstLine(file: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const [line, ...more] = readFileSync(file, "utf8").split(/\r?\n/);
    if (more.length > 0) return line!;
    await delay(20, undefined, { signal });
  }
}
