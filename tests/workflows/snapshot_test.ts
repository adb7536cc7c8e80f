import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { releaseNames } from "../../testing/release.ts";
import type { ApiError } from "../../mod.ts";
import {
  restoreVm,
  RollbackError,
  snapshotVm,
} from "../../src/workflows/mod.ts";
import { refuse, running, stateOf } from "../support/running_vm.ts";

for (const release of releaseNames) {
  test(`snapshotVm() and restoreVm() take a VM there and back on ${release}`, () =>
    running(async (place) => {
      const { vmm, directory, fake } = place;
      const target = join(directory, "snapshot");
      const before = process.umask(0);
      await snapshotVm(vmm, target);
      process.umask(before);
      assert.equal(await stateOf(place), "Running");
      assert.equal(statSync(target).mode & 0o777, 0o700);
      assert.deepEqual(readdirSync(target).sort(), [
        "config.json",
        "memory-ranges",
        "snapshot.json",
        "state.json",
      ]);
      await vmm.client.vm.delete();
      assert.equal((await restoreVm(vmm, target)).state, "Running");
      await vmm.client.vm.delete();
      const { state } = await restoreVm(vmm.client, target, { resume: false });
      assert.equal(state, "Paused");
      // What was paused stays so.
      mkdirSync(join(directory, "empty"), { mode: 0o755 });
      await snapshotVm(vmm.client, join(directory, "empty"));
      assert.equal(await stateOf(place), "Paused");
      assert.equal(statSync(join(directory, "empty")).mode & 0o777, 0o755);
      assert.ok(fake.events.length > 0);
    }, { release }));
}

for (const operation of ["vm.info", "vm.pause", "vm.snapshot"] as const) {
  test(`snapshotVm() leaves the VM running when ${operation} fails`, () =>
    running(async (place) => {
      const { fake, vmm, directory } = place;
      fake.injectFault(refuse(operation));
      const target = join(directory, "snapshot");
      await assert.rejects(snapshotVm(vmm, target), { operation });
      assert.equal(await stateOf(place), "Running");
      assert.equal(existsSync(target), false);
    }));
}

test("snapshotVm() removes only what it wrote", () =>
  running(async (place) => {
    const { fake, vmm, directory } = place;
    const target = join(directory, "snapshot");
    mkdirSync(target);
    // The work is done, and the answer lost.
    fake.injectFault({ operation: "vm.snapshot", fault: { cut: "after" } });
    await assert.rejects(snapshotVm(vmm, target), { code: "closed" });
    assert.deepEqual(readdirSync(target), []);
    assert.equal(await stateOf(place), "Running");
  }));

test("snapshotVm() gives time to copy disks while the VM is paused", () =>
  running(async (place) => {
    const { vmm, directory } = place;
    const target = join(directory, "a");
    const seen: string[] = [];
    const whilePaused = async (path: string) => {
      seen.push(path, await stateOf(place), ...readdirSync(path).sort());
    };
    await snapshotVm(vmm, target, { whilePaused });
    const files = readdirSync(target).sort();
    assert.deepEqual(seen, [`${target}.partial`, "Paused", ...files]);
    assert.equal(await stateOf(place), "Running");

    const full = new Error("the disk is full");
    await assert.rejects(
      snapshotVm(vmm, join(directory, "b"), {
        whilePaused: () => Promise.reject(full),
      }),
      full,
    );
    assert.equal(existsSync(join(directory, "b")), false);
    assert.equal(await stateOf(place), "Running");
  }));

test("snapshotVm() of a paused VM that fails leaves it paused", () =>
  running(async (place) => {
    const { fake, vmm, directory } = place;
    await vmm.client.vm.pause();
    fake.injectFault({ operation: "vm.snapshot", fault: { cut: "after" } });
    const target = join(directory, "a");
    await assert.rejects(snapshotVm(vmm, target), { code: "closed" });
    assert.equal(await stateOf(place), "Paused");
    assert.equal(existsSync(target), false);
  }));

test("snapshotVm() says when the VM stays paused", () =>
  running(async (place) => {
    const { fake, vmm, directory } = place;
    fake.injectFault(refuse("vm.snapshot"));
    fake.injectFault(refuse("vm.resume"));
    await assert.rejects(snapshotVm(vmm, join(directory, "a")), (error) => {
      assert.ok(error instanceof RollbackError);
      assert.equal(error.remaining, "The VM is left paused");
      assert.equal((error.failure as ApiError).operation, "vm.snapshot");
      assert.equal((error.rollbackFailure as ApiError).operation, "vm.resume");
      assert.equal(error.cause, error.failure);
      return true;
    });
    assert.equal(existsSync(join(directory, "a")), false);
    await vmm.client.vm.resume();
    fake.injectFault(refuse("vm.resume"));
    await assert.rejects(snapshotVm(vmm, join(directory, "a")), {
      operation: "vm.resume",
    });
    // It is whole all the same.
    assert.equal(readdirSync(join(directory, "a")).length, 4);
    assert.equal(await stateOf(place), "Paused");
    // The next call resumes the VM.
    const { outcome } = await snapshotVm(vmm, join(directory, "a"));
    assert.equal(outcome, "found");
    assert.equal(await stateOf(place), "Running");
  }));

test("snapshotVm() refuses a directory that is not empty, and touches nothing", () =>
  running(async (place) => {
    const { vmm, directory, fake } = place;
    const full = join(directory, "full");
    mkdirSync(full);
    writeFileSync(join(full, "config.json"), "mine");
    mkdirSync(join(directory, "empty"));
    symlinkSync(join(directory, "empty"), join(directory, "link"));
    writeFileSync(join(directory, "file"), "");
    const paths = [full, join(directory, "link"), join(directory, "file")];
    for (const path of paths) {
      await assert.rejects(snapshotVm(vmm, path), {
        code: "invalid_request",
        field: "directory",
      });
    }
    await assert.rejects(snapshotVm(vmm, join(directory, "a/b")), {
      code: "invalid_request",
      field: "directory",
      message: /^directory: the parent of ".*\/a\/b" does not exist$/,
    });
    assert.deepEqual(readdirSync(full), ["config.json"]);
    assert.ok(!fake.events.some(({ event }) => event === "paused"));
  }));

test("snapshotVm() aborted resumes the VM and gives the reason", () =>
  running(async (place) => {
    const { fake, vmm, directory } = place;
    const controller = new AbortController();
    const reason = new Error("enough");
    fake.injectFault({ operation: "vm.snapshot", fault: { delayMs: 50 } });
    const paused = fake.event("paused");
    const taking = snapshotVm(vmm, join(directory, "a"), {
      signal: controller.signal,
    });
    await paused;
    controller.abort(reason);
    await assert.rejects(taking, (error) => error === reason);
    assert.equal(await stateOf(place), "Running");
    assert.equal(existsSync(join(directory, "a")), false);
  }));

test("snapshotVm() does not call the end of the VMM a failed rollback", () =>
  running(async ({ fake, vmm, directory }) => {
    fake.injectFault({ operation: "vm.snapshot", fault: "crash" });
    const target = join(directory, "a");
    await assert.rejects(snapshotVm(vmm, target), { code: "closed" });
    assert.equal(existsSync(target), false);
  }));
