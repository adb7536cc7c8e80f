// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { resizeAndWait } from "@chv/cloud-hypervisor/workflows";
import process from "node:process";

/**
 * Gives each of a few VMs more vCPUs, one VM after another, and goes on only
 * when the one before has them: `resize.ts [kernel]`.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
const vmms = await Promise.all(
  ["web", "db", "queue"].map(async (name) => ({
    name,
    vmm: await spawnVmm({
      ...fake && fakeProgram({ files: "any" }),
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
