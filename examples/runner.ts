// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { Buffer } from "node:buffer";
import { constants, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * An ephemeral CI runner: each job gets a VM of its own, with a copy of the
 * image, and nothing is left of either. The job is on the kernel's command
 * line, as `job=<base64url>`; the guest runs it, writes what it has to say to
 * the serial console, then the line `job-exit=<code>`, and powers off. That
 * code is this script's; 125 is a guest that did not get so far. A job has
 * `JOB_MINUTES`, else 10. Without cloud-hypervisor in `CLOUD_HYPERVISOR`, the
 * fake plays it.
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
const says = "hello from the fake\njob-exit=0\n";
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
const vmm = await spawnVmm({
  ...fake &&
    fakeProgram({
      files: "any",
      guest: { serialOutput: says, endsAfterMs: 50 },
    }),
});
const serial = join(vmm.directory, "serial");
let problem = "the guest ended without a result";
try {
  const disk = join(vmm.directory, "disk");
  // Shares the image's blocks where the file system can: Btrfs, XFS, ZFS.
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
  // They end with the VMM, which ends with the guest.
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
