/** Locks on disk images, as fakes of this and of other processes see them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ApiError, createClient } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeProgram, FakeVmm } from "../../testing/mod.ts";
import { inDirectory, sparse } from "../support/vmms.ts";

const kernel = { payload: { kernel: "/boot/vmlinux" } };

/** Runs `body` with the API of a fake in this process. */
async function within(body: (vm: Api) => Promise<void>): Promise<void> {
  const vmm = await FakeVmm.start({ files: "any" });
  try {
    await body(createClient(vmm.socketPath).vm);
  } finally {
    await vmm.close();
  }
}

type Api = ReturnType<typeof createClient>["vm"];

/** Returns whether a VM with the image boots. */
function boots(path: string, readonly = false): Promise<boolean> {
  let booted = false;
  return within(async (vm) => {
    await vm.create({ ...kernel, disks: [{ path, readonly }] });
    booted = await vm.boot().then(() => true, (error: ApiError) => {
      assert.equal(error.messages.at(-1), "The file is already locked");
      return false;
    });
  }).then(() => booted);
}

test("an image is free after its VM is deleted, closed or crashed", () =>
  inDirectory(async (directory) => {
    const path = sparse(join(directory, "disk.raw"));
    await within(async (vm) => {
      await vm.create({ ...kernel, disks: [{ path }] });
      await vm.boot();
      assert.equal(await boots(path), false);
      assert.equal(await boots(path, true), false);
      await vm.delete();
      assert.equal(await boots(path), true);
    });
    const vmm = await FakeVmm.start({
      files: "any",
      boot: { ...kernel, disks: [{ path }] },
    });
    assert.equal(await boots(path), false);
    await vmm.crash();
    assert.equal(await boots(path), true);
  }));

test("readers of an image share it, and exclude a writer", () =>
  inDirectory(async (directory) => {
    const path = sparse(join(directory, "disk.raw"));
    await within(async (vm) => {
      await vm.create({ ...kernel, disks: [{ path, readonly: true }] });
      await vm.boot();
      assert.equal(await boots(path, true), true);
      assert.equal(await boots(path), false);
    });
  }));

test("a hotplug that fails keeps its lock only as long as the VM", () =>
  inDirectory(async (directory) => {
    const path = sparse(join(directory, "disk.raw"));
    await within(async (vm) => {
      await vm.create(kernel);
      await vm.boot();
      await vm.addDisk({ path: "/a", pci_device_id: 7 });
      await assert.rejects(vm.addDisk({ path, pci_device_id: 7 }), ApiError);
      assert.equal(await boots(path), false);
      await vm.delete();
      assert.equal(await boots(path), true);
    });
  }));

test("a fake of another process holds a lock until it is killed", () =>
  inDirectory(async (directory) => {
    const path = sparse(join(directory, "disk.raw"));
    const vmm = await spawnVmm({
      ...fakeProgram({ files: "any" }),
      config: { ...kernel, disks: [{ path }] },
    });
    assert.equal(await boots(path), false);
    await vmm.kill();
    assert.equal(await boots(path), true);
  }));
