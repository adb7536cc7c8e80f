// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { createClient } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { restoreVm, snapshotVm } from "@chv/cloud-hypervisor/workflows";
import * as fs from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";

/**
 * Backs up a running VM, its memory and its disks, and keeps the newest
 * backups. Each backup is verified: it is restored once, paused, in a second
 * VMM. A VM with a tap, a vsock or a console file cannot be restored beside
 * itself: verify such a backup on another host. The second VMM is the
 * installed cloud-hypervisor, else the fake.
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
const { vm } = client;
/** Names sort by age. A backup ends in ".part" until it is verified. */
const name = new Date().toISOString().replaceAll(":", "-");
const target = join(resolve(directory), name);
const part = `${target}.part`;
const { config } = await vm.info();
const paths = (config.disks ?? []).flatMap(({ path }) => path ?? []);
const copies = paths.map((path, at) => [path, `${at}-${basename(path)}`]);

try {
  await snapshotVm(client, part, { whilePaused: copyDisks });
  const saved = join(part, "config.json");
  let text = fs.readFileSync(saved, "utf8");
  // Replaces text, because JSON.parse would round 64-bit numbers.
  for (const [path, copy] of copies) {
    const to = JSON.stringify(join(part, copy!));
    text = text.replaceAll(JSON.stringify(path), () => to);
  }
  fs.writeFileSync(saved, text);
  await verify();
  fs.writeFileSync(saved, text.replaceAll(part, () => target));
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

/** The VM is still paused, so the disks fit the snapshot. */
function copyDisks(place: string): void {
  const mode = fs.constants.COPYFILE_FICLONE;
  for (const [path, copy] of copies) {
    fs.copyFileSync(path!, join(place, copy!), mode);
  }
}

async function verify(): Promise<void> {
  const program = fakeUnlessInstalled({ files: "any" });
  console.log(`VMM: ${program.name}`);
  const vmm = await spawnVmm(program);
  try {
    const { state } = await restoreVm(vmm, part, { resume: false });
    console.log(`restored: ${state}`);
  } finally {
    await vmm.kill();
  }
}
