// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Boots a kernel and prints the first line that the guest writes to its serial
 * console: `serial.ts [kernel]`. Without cloud-hypervisor in
 * `CLOUD_HYPERVISOR`, the fake plays a guest.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
const vmm = await spawnVmm({
  ...fake &&
    fakeProgram({
      files: "any",
      guest: { serialOutput: "hello from the fake\n" },
    }),
});
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

/** Looks at the file until it holds a whole line. */
async function firstLine(file: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const [line, ...more] = readFileSync(file, "utf8").split(/\r?\n/);
    if (more.length > 0) return line!;
    await delay(20, undefined, { signal });
  }
}
