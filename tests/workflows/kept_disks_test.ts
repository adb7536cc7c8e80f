/** Disks that are kept with a snapshot, and used by a restore. */
import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { test } from "node:test";
import type { DiskConfig, VmConfig } from "../../mod.ts";
import { disksToKeep } from "../../src/workflows/kept_disks.ts";
import {
  cloneSnapshot,
  ownPaths,
  restoreVm,
  snapshotVm,
} from "../../src/workflows/mod.ts";
import { copySparse } from "../../src/workflows/sparse_copy.ts";
import { qcow2 } from "../support/images.ts";
import { running, type RunningVm, stateOf, VM } from "../support/running_vm.ts";
import { inDirectory } from "../support/vmms.ts";

/** A file of 16 MiB with data at three places. */
function createImage(path: string): void {
  writeFileSync(path, "begin");
  truncateSync(path, (16 << 20) + 100);
  const fd = openSync(path, "r+");
  writeSync(fd, "middle", (4 << 20) - 3);
  writeSync(fd, "end", (16 << 20) + 97);
  closeSync(fd);
}

async function withDisks(
  { directory, vmm }: RunningVm,
): Promise<{ image: string; config: VmConfig }> {
  const image = join(directory, "root.raw");
  createImage(image);
  const config: VmConfig = {
    ...VM,
    disks: [
      { path: image, image_type: "Raw" },
      { path: join(directory, "seed.img"), readonly: true },
    ],
  };
  const { vm } = vmm.client;
  await vm.delete();
  await vm.create(config);
  await vm.boot();
  return { image, config };
}

test("copySparse() copies all data, and leaves holes", () =>
  inDirectory(async (directory) => {
    const [source, target] = ["a", "b"].map((name) => join(directory, name));
    createImage(source!);
    await copySparse(source!, target!);
    assert.ok(readFileSync(source!).equals(readFileSync(target!)));
    assert.ok(statSync(target!).blocks <= 1024, `${statSync(target!).blocks}`);
    assert.equal(statSync(target!).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory).sort(), ["a", "b"]);
    await assert.rejects(copySparse(source!, target!), { code: "EEXIST" });
  }));

test("snapshotVm() keeps disks, and restoreVm() uses the copies", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const { image } = await withDisks(vm);
    const target = join(directory, "snapshot");
    await snapshotVm(vmm, target, { disks: "copy" });
    assert.equal(await stateOf(vm), "Running");
    const before = readFileSync(image);
    const copies = readdirSync(join(target, "disks"));
    assert.deepEqual(copies, ["0-root.raw"]);

    // The guest writes on, and the user goes back.
    writeFileSync(image, "later");
    await vmm.client.vm.delete();
    await assert.rejects(restoreVm(vmm, target), {
      code: "invalid_request",
      field: "disks[0].path",
    });
    assert.equal(readFileSync(image, "utf8"), "later");
    renameSync(image, `${image}.old`);
    await restoreVm(vmm, target);
    assert.ok(readFileSync(image).equals(before));

    // Another path, twice: the second time, the file is used as it is.
    await vmm.client.vm.delete();
    const own = join(directory, "own.raw");
    const config = ownPaths(directory, { disks: { [image]: own } });
    await restoreVm(vmm, target, { config });
    assert.ok(readFileSync(own).equals(before));
    await vmm.client.vm.delete();
    writeFileSync(own, "of the clone");
    const { config: { disks } } = await restoreVm(vmm, target, { config });
    assert.equal(disks?.[0]?.path, own);
    assert.equal(readFileSync(own, "utf8"), "of the clone");
  }));

test("cloneSnapshot() links the copies, and its restore uses them", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const { image } = await withDisks(vm);
    const snapshot = join(directory, "snapshot");
    await snapshotVm(vmm, snapshot, { disks: "copy" });
    const before = readFileSync(image);
    await vmm.client.vm.delete();
    const target = join(directory, "clone");
    for (const name of ["one.raw", "two.raw"]) {
      const own = join(directory, name);
      const edit = ownPaths(directory, { disks: { [image]: own } });
      // The second call replaces the directory of the first call.
      const clone = await cloneSnapshot(snapshot, target, edit);
      const copy = join("disks", "0-root.raw");
      const [link, kept] = [target, snapshot].map((path) =>
        statSync(join(path, copy)).ino
      );
      assert.equal(link, kept);
      const { info } = await clone.restore(vmm);
      assert.equal(info.config.disks?.[0]?.path, own);
      assert.ok(readFileSync(own).equals(before));
      await vmm.client.vm.delete();
    }
    const again = await cloneSnapshot(
      target,
      join(directory, "again"),
      () => {},
    );
    assert.deepEqual(readdirSync(join(again.directory, "disks")), [
      "0-root.raw",
    ]);
    again.remove();
    (await cloneSnapshot(snapshot, target, () => {})).remove();
    assert.ok(!existsSync(target) && !existsSync(again.directory));
    assert.ok(readFileSync(join(snapshot, "disks/0-root.raw")).equals(before));
  }));

test("restoreVm() that fails removes the disks that it copied", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const { image } = await withDisks(vm);
    const target = join(directory, "snapshot");
    await snapshotVm(vmm, target, { disks: "copy" });
    renameSync(image, `${image}.old`);
    await assert.rejects(restoreVm(vmm, target), { code: "already_exists" });
    const files = readdirSync(directory).filter((name) => /^root/.test(name));
    assert.deepEqual(files, ["root.raw.old"]);
  }));

test("snapshotVm() aborted while it copies disks leaves nothing", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const { image } = await withDisks(vm);
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    let checks = 0;
    // It aborts in the middle of the image.
    Object.assign(signal, {
      throwIfAborted() {
        const partial = join(directory, "a.partial/disks/0-root.raw");
        if (existsSync(partial) && ++checks === 3) controller.abort(reason);
        if (signal.aborted) throw signal.reason;
      },
    });
    await assert.rejects(
      snapshotVm(vmm, join(directory, "a"), { disks: "copy", signal }),
      (error) => error === reason,
    );
    assert.ok(checks >= 3);
    assert.equal(await stateOf(vm), "Running");
    const left = readdirSync(directory).filter((name) => /^a|work/.test(name));
    assert.deepEqual(left, []);
    assert.ok(existsSync(image));
  }));

test("snapshotVm() refuses disks that it cannot copy, before the pause", () =>
  inDirectory((directory) => {
    const overlay = join(directory, "overlay.qcow2");
    const bytes = Buffer.from(qcow2(1 << 20));
    const backing = "base.qcow2";
    bytes.writeBigUInt64BE(512n, 8);
    bytes.writeUInt32BE(backing.length, 16);
    bytes.write(backing, 512);
    writeFileSync(overlay, bytes);
    const refused: [DiskConfig, RegExp][] = [
      [
        { vhost_user: true, vhost_socket: "/s", id: "d" },
        /"d" belongs to .*"\/s"/,
      ],
      [{ path: "/dev/null" }, /"\/dev\/null" is no regular file/],
      [{ path: overlay }, /relative path "base\.qcow2"/],
    ];
    for (const [disk, message] of refused) {
      const disks = [{ path: "/seed", readonly: true }, disk];
      assert.throws(() => disksToKeep({ disks }), {
        code: "invalid_request",
        field: "disks[1]",
        message,
      });
    }
    bytes.write("/base/file", 512);
    writeFileSync(overlay, bytes);
    assert.equal(disksToKeep({ disks: [{ path: overlay }] }).length, 1);
  }));
