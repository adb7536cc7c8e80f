/** The restore of a clone: what it checks, and what a failure leaves. */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  cloneSnapshot,
  ownPaths,
  restoreVm,
  type Vmm,
} from "../../src/workflows/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { withSnapshot } from "../support/clones.ts";
import { testIf } from "../support/skip.ts";
import { inTemporary, sparse } from "../support/vmms.ts";

test("a socket that exists is reported before the restore", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const before = clone.fake.requests.length;
    for (
      const [field, name] of [["vsock.socket", "vsock"], [
        "serial.socket",
        "serial",
      ]]
    ) {
      const path = join(directory, name!);
      const fake = await FakeVmm.start({ socketPath: path });
      await assert.rejects(restoreVm(clone.vmm, snapshot), {
        code: "invalid_request",
        field,
        message: new RegExp(`the socket "${path}" exists: remove it`),
      });
      await fake.close();
    }
    const operations = clone.fake.requests.slice(before);
    assert.ok(operations.every(({ operation }) => operation === "vm.info"));
  }));

test("a disk in use is reported, and the VMM can restore again", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const disk = sparse(join(directory, "root.raw"));
    const boot = {
      payload: { kernel: "/boot/vmlinux" },
      disks: [{ path: disk }],
    };
    const other = await FakeVmm.start({ files: "any", boot });
    try {
      const home = join(directory, "home");
      mkdirSync(home);
      const vmm: Vmm = { ...clone.vmm, directory: home };
      await assert.rejects(
        restoreVm(vmm, snapshot, { config: ownPaths(home) }),
        {
          code: "in_use",
          message: new RegExp(`lock for disk image: ${disk}: .* locked`),
        },
      );
      await assert.rejects(vmm.client.vm.info(), { code: "not_created" });
      assert.deepEqual(readdirSync(home), ["console.log"]);
      const disks = { [disk]: "/clone.raw" };
      await restoreVm(vmm, snapshot, { config: ownPaths(home, { disks }) });
    } finally {
      await other.close();
    }
  }));

test("the memory is copied where the VMM cannot fill it on demand", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const { fake, vmm } = clone;
    const { vm } = vmm.client;
    const serial = join(directory, "serial");
    const refuse = () =>
      fake.injectFault({
        operation: "vm.restore",
        fault: {
          status: 500,
          chain: [
            "Error from API",
            "The VM could not be restored",
            "Memory manager error",
            "Cannot restore VM",
            "On-demand restore failed",
            "Failed to create userfaultfd",
            "Operation not permitted (os error 1)",
          ],
        },
      });
    const memory_restore_mode = "OnDemand";
    refuse();
    await assert.rejects(restoreVm(vmm, snapshot, { memory_restore_mode }), {
      code: "no_permission",
    });
    const target = join(directory, "clone");
    const clone1 = await cloneSnapshot(snapshot, target, () => {});
    refuse();
    const { info, ...how } = await clone1.restore(vmm);
    assert.equal(info.state, "Running");
    assert.deepEqual(how, {
      memory_restore_mode: "Copy",
      reason:
        "Failed to create userfaultfd: Operation not permitted (os error 1)",
    });
    assert.ok(lstatSync(serial).isSocket());
    await vm.delete();
    const second = await clone1.restore(vmm, { resume: false });
    assert.equal(second.info.state, "Paused");
    assert.equal(second.memory_restore_mode, "OnDemand");
    assert.equal(second.reason, undefined);
    await vm.delete();
    const third = await clone1.restore(vmm, { memory_restore_mode: "Copy" });
    assert.equal(third.memory_restore_mode, "Copy");
    const modes = fake.requests.filter(({ operation, status }) =>
      operation === "vm.restore" && status === 204
    ).map(({ body }) => JSON.parse(body).memory_restore_mode);
    assert.deepEqual(modes, ["Copy", "OnDemand", "Copy"]);
  }));

test("directories of restores that were killed are removed", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const home = join(directory, "home");
    const stale = join(home, "chv-restore-2147483647-a");
    const live = join(home, `chv-restore-${process.pid}-a`);
    for (const path of [home, stale, live]) mkdirSync(path);
    writeFileSync(join(stale, "config.json"), "{");
    const vmm: Vmm = { ...clone.vmm, directory: home };
    let during: string[] = [];
    clone.fake.injectFault({
      operation: "vm.restore",
      fault: { delayMs: 1 },
    });
    const restored = restoreVm(vmm, snapshot, {
      config: async (config) => {
        await ownPaths(home)(config);
        during = readdirSync(home);
      },
    });
    await restored;
    assert.equal(during.length, 2);
    assert.ok(!existsSync(stale));
    assert.ok(existsSync(live));
  }));

test("without a directory of the VMM, temporary files are used", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const left = await inTemporary(directory, async () => {
      const config = ownPaths(directory);
      await restoreVm(clone.vmm.client, snapshot, { config });
      const { body } = clone.fake.requests.findLast(({ operation }) =>
        operation === "vm.restore"
      )!;
      const { source_url } = JSON.parse(body);
      assert.ok(
        source_url.startsWith(`file://${directory}/temporary/chv-restore-`),
        source_url,
      );
    });
    assert.deepEqual(left, []);
  }));

const hasTwo = existsSync("/dev/shm") &&
  statSync("/dev/shm").dev !== statSync(process.env["TMPDIR"] ?? "/tmp").dev;

testIf(hasTwo, "there is one file system for temporary files only")(
  "a clone on another file system has symbolic links",
  () =>
    withSnapshot(async ({ snapshot, clone }) => {
      const target = `/dev/shm/chv-test-${process.pid}`;
      const prepared = await cloneSnapshot(snapshot, target, () => {});
      try {
        assert.ok(lstatSync(join(target, "state.json")).isSymbolicLink());
        await prepared.restore(clone.vmm);
      } finally {
        prepared.remove();
      }
      assert.ok(!existsSync(target));
      assert.ok(existsSync(join(snapshot, "state.json")));
    }),
);
