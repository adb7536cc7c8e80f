// Copied out of the repository, import "jsr:@chv/cloud-hypervisor/process" and so on.
import { spawnVmm, type VmmProcess } from "@chv/cloud-hypervisor/process";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { restoreVm, snapshotVm } from "@chv/cloud-hypervisor/workflows";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/**
 * Keeps VMs ready that were booted once: a snapshot is taken, restored into a
 * few VMMs, and each request takes one of them while the next is restored:
 * `pool.ts [kernel]`. The VM has no disk, which all of them would share.
 */
const [kernel = "/boot/vmlinux"] = process.argv.slice(2);
const SIZE = 3;
const REQUESTS = 6;

function spawn(): Promise<VmmProcess> {
  const fake = process.env["CLOUD_HYPERVISOR"] === undefined;
  return spawnVmm({
    ...fake && fakeProgram({ files: "any" }),
  });
}

class Pool {
  readonly #snapshot: string;
  readonly #ready: Promise<VmmProcess>[] = [];

  constructor(snapshot: string, size: number) {
    this.#snapshot = snapshot;
    for (let i = 0; i < size; i++) this.#add();
  }

  /** A VM that is paused just after its boot. */
  async take(): Promise<VmmProcess> {
    const vmm = this.#ready.shift()!;
    this.#add();
    return await vmm;
  }

  async close(): Promise<void> {
    const vmms = await Promise.allSettled(this.#ready);
    for (const vmm of vmms) {
      if (vmm.status === "fulfilled") await vmm.value.kill();
    }
  }

  #add(): void {
    const vmm = this.#restore();
    // Who takes it is told.
    vmm.catch(() => {});
    this.#ready.push(vmm);
  }

  async #restore(): Promise<VmmProcess> {
    const vmm = await spawn();
    try {
      await restoreVm(vmm, this.#snapshot, { resume: false });
      return vmm;
    } catch (error) {
      await vmm.kill();
      throw error;
    }
  }
}

const directory = mkdtempSync(join(tmpdir(), "pool-"));
try {
  const snapshot = join(directory, "snapshot");
  const first = await spawn();
  await first.client.vm.create({
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 64 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  });
  await first.client.vm.boot();
  await snapshotVm(first, snapshot);
  await first.kill();

  const pool = new Pool(snapshot, SIZE);
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
  rmSync(directory, { recursive: true });
}
