/** Snapshots for the tests of clones. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { VmConfig } from "../../mod.ts";
import { snapshotVm } from "../../src/workflows/mod.ts";
import type { FakeVmmOptions } from "../../testing/mod.ts";
import { type Faked, faked, inDirectory } from "./vmms.ts";

/** A VM with a device of each kind that a clone needs for itself. */
export function sourceVm(directory: string): VmConfig {
  const path = (name: string): string => join(directory, name);
  return {
    payload: { kernel: "/boot/vmlinux" },
    cpus: { boot_vcpus: 1, max_vcpus: 4 },
    memory: { size: 64 << 20 },
    disks: [
      { id: "root", path: path("root.raw"), image_type: "Raw" },
      { id: "base", path: path("base.raw"), image_type: "Raw", readonly: true },
    ],
    net: [{ id: "net0", mac: "2e:00:00:00:00:02" }],
    serial: { mode: "Socket", socket: path("serial") },
    console: { mode: "File", file: path("console") },
    vsock: { cid: 3, socket: path("vsock") },
  };
}

export interface SnapshotPlace {
  readonly directory: string;
  /** The snapshot of {@linkcode sourceVm}, which runs no more. */
  readonly snapshot: string;
  /** A VMM without a VM. */
  readonly clone: Faked;
}

/** Calls `body` with a snapshot, and a fake VMM to restore it. */
export function withSnapshot(
  body: (place: SnapshotPlace) => Promise<void>,
  options: FakeVmmOptions = {},
): Promise<void> {
  return inDirectory(async (directory) => {
    const clone = await faked(directory, options, "clone");
    try {
      const snapshot = join(directory, "snapshot");
      const { vm } = clone.vmm.client;
      await vm.create(sourceVm(directory));
      await vm.boot();
      await snapshotVm(clone.vmm, snapshot);
      await vm.delete();
      await body({ directory, snapshot, clone });
    } finally {
      await clone.end();
    }
  });
}

/** The content and the mode of each file of a snapshot. */
export function snapshotFiles(directory: string): unknown {
  return readdirSync(directory).sort().map((name) => {
    const path = join(directory, name);
    const { mode, size, mtimeMs } = statSync(path);
    const content = name.endsWith(".json") && readFileSync(path, "utf8");
    return { name, mode, size, mtimeMs, content };
  });
}
