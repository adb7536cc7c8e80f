// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { createClient } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import {
  ownPaths,
  restoreVm,
  snapshotVm,
} from "@chv/cloud-hypervisor/workflows";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";

/**
 * Backs up a running VM, its memory and its disks, and keeps the newest
 * backups. Each backup is verified: it is restored once, paused, in a second
 * VMM with copies of its disks. A VM with a tap cannot be restored beside
 * itself: verify such a backup on another host. The second VMM is the installed
 * cloud-hypervisor, else the fake.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net backup.ts <socket> <directory> [how many]
 *     bun backup.ts <socket> <directory> [how many]
 *     node backup.ts <socket> <directory> [how many]
 */
const [socketPath, directory, keep = "3"] = process.argv.slice(2);
if (socketPath === undefined || directory === undefined || !(+keep >= 1)) {
  console.error("usage: backup.ts <socket> <directory> [how many, at least 1]");
  process.exit(2);
}
const client = createClient(socketPath);
/** Names sort by age. A backup ends in ".part" until it is verified. */
const name = new Date().toISOString().replaceAll(":", "-");
const target = join(resolve(directory), name);
const part = `${target}.part`;

try {
  await snapshotVm(client, part, { disks: "copy" });
  await verify();
  fs.renameSync(part, target);
} catch (error) {
  fs.rmSync(part, { recursive: true, force: true });
  throw error;
}
console.log(`kept ${target}`);
const done = fs.readdirSync(directory).filter((name) => name.endsWith("Z"));
for (const old of done.sort().slice(0, -keep)) {
  fs.rmSync(join(directory, old), { recursive: true });
  console.log(`removed ${old}`);
}

/** Restores the backup with copies of its disks, beside the VM. */
async function verify(): Promise<void> {
  const program = fakeUnlessInstalled({ files: "any" });
  console.log(`VMM: ${program.name}`);
  const { config } = await client.vm.info();
  const vmm = await spawnVmm(program);
  try {
    const copies = (config.disks ?? []).flatMap(({ path, readonly }, at) =>
      path && !readonly ? [[path, join(vmm.directory, `disk${at}`)]] : []
    );
    const disks = Object.fromEntries(copies);
    const { state } = await restoreVm(vmm, part, {
      config: ownPaths(vmm.directory, { disks }),
      resume: false,
    });
    console.log(`restored: ${state}`);
  } finally {
    await vmm.kill();
  }
}
