// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { guestCredentials, waitForReady } from "@chv/cloud-hypervisor/guest";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { join } from "node:path";
import process from "node:process";

/**
 * Boots a disk with systemd 254 or later, and waits until systemd reports that
 * the guest is ready: `ready.ts [firmware] [disk]`. Takes the installed
 * cloud-hypervisor, else the fake with a scripted guest. Not tried with a Linux
 * guest.
 */
const [kernel = "/boot/CLOUDHV.fd", path] = process.argv.slice(2);
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
try {
  await vmm.client.vm.create({
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 1 << 30 },
    ...path && { disks: [{ path, image_type: "Raw" as const }] },
    serial: { mode: "Off" },
    console: { mode: "Off" },
    vsock: { cid: 3, socket: join(vmm.directory, "vsock") },
    platform: { oem_strings: guestCredentials({ readyPort: 8888 }) },
  });
  const start = performance.now();
  await waitForReady(vmm, {
    boot: () => vmm.client.vm.boot(),
    timeoutMs: 120_000,
  });
  console.log(`ready after ${Math.ceil(performance.now() - start)} ms`);
} finally {
  await vmm.stop({ timeoutMs: 5000 });
}
