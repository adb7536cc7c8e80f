// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm, type VmmProcess } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import {
  ownPaths,
  restoreVm,
  snapshotVm,
} from "@chv/cloud-hypervisor/workflows";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * Keeps a pool of VMs that are restored from one snapshot, so that nobody
 * waits for a boot: each request takes a VM, and the pool restores the next:
 * `pool.ts [kernel]`. Each VM has its own copy of the disk. docs/clones.md tells
 * what such VMs share. Takes the installed cloud-hypervisor, else the fake.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const SIZE = 3;
const REQUESTS = 6;

const program = fakeUnlessInstalled({ files: "any" });
console.log(`VMM: ${program.name}`);

class Pool {
  readonly #snapshot: string;
  readonly #disk: string;
  readonly #ready: Promise<VmmProcess>[] = [];

  constructor(snapshot: string, disk: string, size: number) {
    this.#snapshot = snapshot;
    this.#disk = disk;
    for (let i = 0; i < size; i++) this.#add();
  }

  /** Resolves to a VM that is paused at the moment of the snapshot. */
  async take(): Promise<VmmProcess> {
    const vmm = this.#ready.shift()!;
    this.#add();
    return await vmm;
  }

  async close(): Promise<void> {
    for (const vmm of await Promise.allSettled(this.#ready)) {
      if (vmm.status === "fulfilled") await vmm.value.kill();
    }
  }

  #add(): void {
    const vmm = this.#restore();
    // `take()` reports the error.
    vmm.catch(() => {});
    this.#ready.push(vmm);
  }

  async #restore(): Promise<VmmProcess> {
    const vmm = await spawnVmm(program);
    try {
      // restoreVm() copies the disk that is kept with the snapshot.
      const disks = { [this.#disk]: join(vmm.directory, "disk.raw") };
      await restoreVm(vmm, this.#snapshot, {
        config: ownPaths(vmm.directory, { disks }),
        memory_restore_mode: "OnDemand",
        onCopy: (reason) => console.warn(`memory is copied: ${reason}`),
        resume: false,
      });
      return vmm;
    } catch (error) {
      await vmm.kill();
      throw error;
    }
  }
}

const directory = fs.mkdtempSync(join(tmpdir(), "pool-"));
try {
  const disk = join(directory, "disk.raw");
  fs.writeFileSync(disk, "");
  fs.truncateSync(disk, 16 << 20);
  const snapshot = join(directory, "snapshot");
  const first = await spawnVmm(program);
  await first.client.vm.create({
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 64 << 20 },
    disks: [{ path: disk, image_type: "Raw" }],
    serial: { mode: "Off" },
    console: { mode: "Off" },
  });
  await first.client.vm.boot();
  await snapshotVm(first, snapshot, { disks: "copy" });
  await first.kill();

  const pool = new Pool(snapshot, disk, SIZE);
  try {
    for (let request = 1; request <= REQUESTS; request++) {
      const start = performance.now();
      const vmm = await pool.take();
      await vmm.client.vm.resume();
      const ms = Math.round(performance.now() - start);
      console.log(`request ${request} has VMM ${vmm.pid} after ${ms} ms`);
      await vmm.kill();
    }
  } finally {
    await pool.close();
  }
} finally {
  fs.rmSync(directory, { recursive: true });
}
