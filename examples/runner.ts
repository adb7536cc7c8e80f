// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { Buffer } from "node:buffer";
import { constants, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * An ephemeral CI runner: each job gets its own VM with a copy of the image;
 * both are deleted at the end. The guest finds the job on the kernel's command
 * line as `job=<base64url>`, runs it, writes its output to the serial console,
 * then the line `job-exit=<code>`, and powers off. The script exits with that
 * code, or with 125 when the line is missing. A job has 10 minutes, or
 * `JOB_MINUTES`. Takes the installed cloud-hypervisor, else the fake with a
 * guest that writes `job-exit=0`.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net runner.ts <image> <job> [kernel]
 *     bun runner.ts <image> <job> [kernel]
 *     node runner.ts <image> <job> [kernel]
 */
const [image, job, kernel = "/boot/vmlinux"] = process.argv.slice(2);
if (image === undefined || job === undefined) {
  console.error("usage: runner.ts <image> <job> [kernel]");
  process.exit(2);
}
const timeoutMs = Number(process.env["JOB_MINUTES"] ?? 10) * 60_000;
const serialOutput = "hello from the fake\njob-exit=0\n";
const guest = { serialOutput, endsAfterMs: 50 };
const program = fakeUnlessInstalled({ files: "any", guest });
console.error(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
const serial = join(vmm.directory, "serial");
let problem = "the guest ended without a result";
try {
  const disk = join(vmm.directory, "disk");
  // Btrfs, XFS and ZFS share the blocks of the image instead of copying them.
  copyFileSync(image, disk, constants.COPYFILE_FICLONE);
  const encoded = Buffer.from(job).toString("base64url");
  const { vm } = vmm.client;
  await vm.create({
    payload: { kernel, cmdline: `console=ttyS0 root=/dev/vda job=${encoded}` },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 256 << 20 },
    disks: [{ path: disk, image_type: "Raw" }],
    serial: { mode: "File", file: serial },
    console: { mode: "Off" },
    pvpanic: true,
  });
  await vm.boot();
  // The events end with the VMM, and the VMM ends when the guest powers off.
  const signal = AbortSignal.timeout(timeoutMs);
  for await (const { event } of vmm.events({ signal })) {
    if (event !== "panic" && event !== "rebooting") continue;
    problem = `the guest did not power off: ${event}`;
    break;
  }
} catch (error) {
  problem = String(error);
} finally {
  const output = readFileSync(serial, { encoding: "utf8", flag: "a+" });
  process.stdout.write(output);
  await vmm.kill();
  const code = /^job-exit=(\d+)\r?$/m.exec(output)?.[1];
  if (code === undefined) console.error(problem);
  process.exitCode = Number(code ?? 125);
}
