// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { resizeAndWait } from "@chv/cloud-hypervisor/workflows";
import process from "node:process";

/**
 * Gives more vCPUs to three VMs, one after another: the next VM is resized
 * only when the VM before has its vCPUs: `resize.ts [kernel]`. Takes the
 * installed cloud-hypervisor, else the fake.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const program = fakeUnlessInstalled({ files: "any" });
console.log(`VMM: ${program.name}`);
const vmms = await Promise.all(
  ["web", "db", "queue"].map(async (name) => ({
    name,
    vmm: await spawnVmm({
      ...program,
      config: {
        payload: { kernel },
        cpus: { boot_vcpus: 1, max_vcpus: 4, nested: false },
        memory: { size: 64 << 20 },
        serial: { mode: "Off" },
        console: { mode: "Off" },
      },
    }),
  })),
);
try {
  for (const { name, vmm } of vmms) {
    const size = { desired_vcpus: 3 };
    const { config } = await resizeAndWait(vmm, size, { timeoutMs: 60_000 });
    console.log(`${name} has ${config.cpus.boot_vcpus} vCPUs`);
  }
} finally {
  await Promise.all(vmms.map(({ vmm }) => vmm.stop({ timeoutMs: 1000 })));
}
