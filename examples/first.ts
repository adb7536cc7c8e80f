// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { waitForState } from "@chv/cloud-hypervisor/workflows";
import process from "node:process";

/**
 * The first VM: starts a VMM, boots a kernel, prints the state of the VM, and
 * stops both. Takes the installed cloud-hypervisor, else the fake.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net first.ts [kernel]
 *     bun first.ts [kernel]
 *     node first.ts [kernel]
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const guest = { powersOffAfterMs: 10 };
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);

const vmm = await spawnVmm(program);
try {
  const { vm } = vmm.client;
  await vm.create({
    payload: { kernel, cmdline: "console=ttyS0" },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 256 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  });
  await vm.boot();
  const info = await waitForState(vmm, "Running", { timeoutMs: 10_000 });
  const { cpus } = info.config;
  console.log(
    `${info.state}: ${cpus.boot_vcpus} vCPU, ` +
      `${info.memory_actual_size / 2 ** 20} MiB, VMM ${vmm.pid}`,
  );
} finally {
  const { step } = await vmm.stop({ timeoutMs: 5000 });
  console.log(`the VMM ended after ${step}`);
}
