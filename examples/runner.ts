// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { type GuestConsole, openConsole } from "@chv/cloud-hypervisor/guest";
import { spawnVmm, type VmmProcess } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { constants, copyFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * An ephemeral CI runner: each job gets its own VM with a copy of the image;
 * both are deleted at the end. The script logs in on the serial port, runs
 * the job there by `sh`, prints its output, and exits with its code, or with
 * 125 where the job gave none. A job has 10 minutes, or `JOB_MINUTES`.
 * `USER_NAME` is the user, who needs no password; `PROMPT` is a pattern of the
 * shell's prompt. Takes the installed cloud-hypervisor, else the fake with a scripted
 * guest. Not tried with a Linux guest.
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
const { USER_NAME: user = "root", PROMPT = "[^\\r\\n]*[#$] $" } = process.env;
const prompt = new RegExp(PROMPT);
const minutes = Number(process.env["JOB_MINUTES"] ?? 10);
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.error(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
const end = new AbortController();
const signal = AbortSignal.any([
  end.signal,
  AbortSignal.timeout(minutes * 60_000),
]);
process.exitCode = 125;
try {
  const disk = join(vmm.directory, "disk");
  // Btrfs, XFS and ZFS share the blocks of the image instead of copying them.
  copyFileSync(image, disk, constants.COPYFILE_FICLONE);
  await vmm.client.vm.create({
    payload: { kernel, cmdline: "console=ttyS0 root=/dev/vda rw" },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 256 << 20 },
    disks: [{ path: disk, image_type: "Raw" }],
    serial: { mode: "Socket", socket: join(vmm.directory, "serial") },
    console: { mode: "Off" },
    pvpanic: true,
  });
  const serial = await openConsole(vmm, { signal });
  try {
    void abortWhenLost(vmm);
    await vmm.client.vm.boot();
    process.exitCode = await runJob(serial, job);
  } finally {
    await serial.close();
  }
} catch (error) {
  console.error(String(error));
} finally {
  end.abort();
  await vmm.kill();
}

/** Logs in, and resolves to the exit code of the job. */
async function runJob(serial: GuestConsole, job: string): Promise<number> {
  const options = { prompt };
  await serial.waitFor("login: ");
  await serial.write(`${user}\n`);
  await serial.waitFor(prompt);
  // A terminal takes lines of a few KB, and its shell no text of many lines.
  const encoded = Buffer.from(`${job}\n`).toString("base64");
  for (const [part] of encoded.matchAll(/.{1,512}/g)) {
    await serial.run(`printf %s '${part}' >> /tmp/job.b64`, options);
  }
  await serial.run("base64 -d /tmp/job.b64 > /tmp/job", options);

  // The job cannot know the mark, and so cannot print it.
  const mark = randomUUID();
  await serial.write(
    `echo ${mark}; sh /tmp/job < /dev/null; echo ${mark}=$?\n`,
  );
  let hasBegun = false;
  for await (const line of serial.lines()) {
    if (!hasBegun) {
      // The lines before are the echo of the command.
      hasBegun = line === mark;
      continue;
    }
    // The last line of the job's output may have no end.
    const [last = "", code] = line.split(`${mark}=`);
    if (code === undefined || last !== "") process.stdout.write(`${last}\n`);
    if (code !== undefined) return Number(code);
  }
  throw new Error("the VMM ended before the job");
}

/** Ends the job when the guest reboots or its kernel panics. */
async function abortWhenLost(vmm: VmmProcess): Promise<void> {
  try {
    for await (const { event } of vmm.events({ signal })) {
      if (event !== "panic" && event !== "rebooting") continue;
      end.abort(new Error(`the guest was lost: ${event}`));
    }
  } catch {
    // The job has ended.
  }
}
