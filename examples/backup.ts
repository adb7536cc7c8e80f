// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" and so on.
import { createClient } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { restoreVm, snapshotVm } from "@chv/cloud-hypervisor/workflows";
import * as fs from "node:fs";
import { basename, join, resolve } from "node:path";
import process from "node:process";

/**
 * A backup of a running VM, memory and disks, of which the newest few are
 * kept. Each is restored once into a VMM of its own, left paused, before it
 * counts. A VM with a tap, a vsock or a console file cannot be restored beside
 * itself: prove those on another host. Without cloud-hypervisor in
 * `CLOUD_HYPERVISOR`, the fake restores it.
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
/** Sorts by age; it has another name until it is proved. */
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
  // As text, since 64-bit numbers would not survive JSON.parse.
  for (const [path, copy] of copies) {
    const to = JSON.stringify(join(part, copy!));
    text = text.replaceAll(JSON.stringify(path), () => to);
  }
  fs.writeFileSync(saved, text);
  await prove();
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

/** As of the snapshot: the VM is still paused. */
function copyDisks(): void {
  const mode = fs.constants.COPYFILE_FICLONE;
  for (const [path, copy] of copies) {
    fs.copyFileSync(path!, join(part, copy!), mode);
  }
}

async function prove(): Promise<void> {
  const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
  const vmm = await spawnVmm({
    ...fake && fakeProgram({ files: "any" }),
  });
  try {
    const { state } = await restoreVm(vmm, part, { resume: false });
    console.log(`restored: ${state}`);
  } finally {
    await vmm.kill();
  }
}
