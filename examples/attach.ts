// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import process from "node:process";

/**
 * Boots a kernel, and gives its serial port to this terminal; Ctrl-] leaves,
 * and stops the VM: `attach.ts [kernel] [initramfs]`. Takes the installed
 * cloud-hypervisor, else the fake with a scripted guest.
 */
const [kernel = "/boot/vmlinux", initramfs] = process.argv.slice(2);
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm({
  ...program,
  console: true,
  config: {
    payload: {
      kernel,
      cmdline: "console=ttyS0",
      ...initramfs && { initramfs },
    },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 512 << 20 },
    console: { mode: "Off" },
  },
});
try {
  const reason = await vmm.console!.attach();
  console.log(reason === "escape" ? "\nleft" : "\nthe VMM has ended");
} finally {
  await vmm.stop({ timeoutMs: 5000 });
}
