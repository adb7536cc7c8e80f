// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { waitForState } from "@chv/cloud-hypervisor/workflows";
import process from "node:process";

/**
 * The first VM: starts a VMM, boots a kernel in it, says what is there, and
 * stops it. Without cloud-hypervisor in `CLOUD_HYPERVISOR`, the fake plays it.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net first.ts [kernel]
 *     bun first.ts [kernel]
 *     node first.ts [kernel]
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;

const vmm = await spawnVmm({
  ...fake && fakeProgram({ files: "any", guest: { powersOffAfterMs: 10 } }),
});
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
  console.log(`stopped by ${step}`);
}
