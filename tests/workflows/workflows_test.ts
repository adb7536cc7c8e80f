import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { ApiError, OperationName } from "../../mod.ts";
import {
  removeDeviceAndWait,
  replaceConfig,
  resizeAndWait,
  restoreVm,
  RollbackError,
  snapshotVm,
  waitForDeviceRemoved,
  waitForEvent,
  waitForState,
  waitForVmm,
} from "../../src/workflows/mod.ts";
import { AbortScope } from "../../src/wait/abort_scope.ts";
import type { FakeVmmOptions } from "../../testing/mod.ts";
import { releaseNames } from "../../testing/release.ts";
import { createClient, unixFetch } from "../../mod.ts";
import { type Faked, faked } from "../support/vmms.ts";

const VM = { payload: { kernel: "/boot/vmlinux" } };
const REFUSAL = { status: 500, chain: ["Error from API", "not today"] };

interface Place extends Faked {
  readonly directory: string;
}

/** A fake with a running VM. */
async function running(
  body: (place: Place) => Promise<void>,
  options: FakeVmmOptions = {},
  boot = true,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const one = await faked(directory, options);
  try {
    if (boot) {
      await one.vmm.client.vm.create(VM);
      await one.vmm.client.vm.boot();
    }
    await body({ ...one, directory });
  } finally {
    await one.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

const refuse = (operation: OperationName) => ({ operation, fault: REFUSAL });
const stateOf = async ({ vmm }: Faked): Promise<string> =>
  (await vmm.client.vm.info()).state;

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

  test(`resizeAndWait() waits out vCPUs that are still held on ${release}`, () =>
    running(async ({ vmm }) => {
      const { vm } = vmm.client;
      await vm.delete();
      await vm.create({ ...VM, cpus: { boot_vcpus: 4, max_vcpus: 4 } });
      await vm.boot();
      await vm.resize({ desired_vcpus: 3 });
      await assert.rejects(vm.resize({ desired_vcpus: 2 }), { code: "busy" });
      const info = await resizeAndWait(vmm, { desired_vcpus: 2 });
      assert.equal(info.config.cpus.boot_vcpus, 2);
      // The guest has followed: another number is not refused.
      await vm.resize({ desired_vcpus: 1 });
    }, { release, guest: { dropsVcpusAfterMs: 20 } }));

  test(`removeDeviceAndWait() frees the id on ${release}`, () =>
    running(async ({ vmm }) => {
      const { vm } = vmm.client;
      const disk = { id: "d", path: "/a.raw" };
      for (const events of [vmm.events, undefined]) {
        await vm.addDisk(disk);
        await removeDeviceAndWait({ client: vmm.client, events }, "d");
      }
      await vm.addDisk(disk);
      await assert.rejects(removeDeviceAndWait(vmm, "nope"), {
        code: "unknown_device",
      });
    }, { release, guest: { releasesDeviceAfterMs: 20 } }));

  test(`replaceConfig() swaps the VM on ${release}`, () =>
    running(async (place) => {
      const { vmm } = place;
      const { vm } = vmm.client;
      const next = { ...VM, cpus: { boot_vcpus: 2, max_vcpus: 2 } };
      const info = await replaceConfig(vmm, next);
      assert.equal(info.state, "Running");
      assert.equal(info.config.cpus.boot_vcpus, 2);
      // It boots neither with a console in the way nor without a kernel.
      for (
        const config of [
          { payload: {} },
          { ...VM, cpus: { boot_vcpus: 3, max_vcpus: 2 } },
        ]
      ) {
        await assert.rejects(replaceConfig(vmm, config), { name: "ApiError" });
        const after = await vm.info();
        assert.equal(after.state, "Running");
        assert.equal(after.config.cpus.boot_vcpus, 2);
      }
      // What cannot be read costs nothing.
      const seen = place.fake.events.length;
      await assert.rejects(
        replaceConfig(vmm, { cpus: { boot_vcpus: "2" } } as never),
        { code: "invalid_json" },
      );
      await assert.rejects(
        replaceConfig(vmm, { ...VM, console: { mode: "File" } }),
        { code: "fatal_request" },
      );
      assert.equal(place.fake.events.length, seen);
      await vm.delete();
      assert.equal((await replaceConfig(vmm, VM)).state, "Running");
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
    const files = ["config.json", "memory-ranges", "state.json"];
    assert.deepEqual(seen, [target, "Paused", ...files]);
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
      assert.equal(error.remaining, "the VM is paused");
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
    assert.equal(readdirSync(join(directory, "a")).length, 3);
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
      code: "ENOENT",
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

test("restoreVm() deletes what a failure leaves", () =>
  running(async ({ fake, vmm, directory }) => {
    const { vm } = vmm.client;
    const target = join(directory, "a");
    await snapshotVm(vmm, target);
    await assert.rejects(restoreVm(vmm, target), { code: "already_exists" });
    assert.equal((await vm.info()).state, "Running");
    // A VM that somebody makes at the same time is not what it leaves.
    const chain = ["Error from API", "VM is not created"];
    fake.injectFault({ operation: "vm.info", fault: { status: 404, chain } });
    await assert.rejects(restoreVm(vmm, target), { code: "already_exists" });
    assert.equal((await vm.info()).state, "Running");
    await vm.delete();
    fake.injectFault({ operation: "vm.restore", fault: { cut: "after" } });
    await assert.rejects(restoreVm(vmm, target), { code: "closed" });
    await assert.rejects(vm.info(), { code: "not_created" });
    fake.injectFault({ operation: "vm.restore", fault: { cut: "after" } });
    fake.injectFault(refuse("vm.delete"));
    await assert.rejects(restoreVm(vmm, target), { code: "rollback_failed" });
    await vm.delete();
    fake.injectFault(refuse("vm.restore"));
    await assert.rejects(restoreVm(vmm, target), { operation: "vm.restore" });
    rmSync(join(target, "state.json"));
    await assert.rejects(restoreVm(vmm, target), {
      code: "invalid_request",
      message: /state\.json is missing/,
    });
    writeFileSync(join(target, "state.json"), "{");
    await assert.rejects(restoreVm(vmm, target), {
      message: /state\.json is not whole/,
    });
  }));

for (const operation of ["vm.delete", "vm.create", "vm.boot"] as const) {
  test(`replaceConfig() brings the old VM back when ${operation} fails`, () =>
    running(async (place) => {
      const { fake, vmm } = place;
      // The first vm.create only looks whether the body is understood.
      const after = operation === "vm.create" ? 1 : 0;
      fake.injectFault({ ...refuse(operation), after });
      const next = { ...VM, cpus: { boot_vcpus: 2, max_vcpus: 2 } };
      await assert.rejects(replaceConfig(vmm, next), { operation });
      const { state, config } = await vmm.client.vm.info();
      assert.equal(state, "Running");
      assert.equal(config.cpus.boot_vcpus, 1);
    }));
}

test("replaceConfig() leaves a VM that the VMM does not delete", () =>
  running(async ({ fake, vmm }) => {
    fake.injectFault({ ...refuse("vm.delete"), times: 2 });
    const seen = fake.events.length;
    await assert.rejects(replaceConfig(vmm, VM), { operation: "vm.delete" });
    assert.equal(fake.events.length, seen);
  }));

test("replaceConfig() brings back a VM whose deletion was not answered", () =>
  running(async ({ fake, vmm }) => {
    fake.injectFault({ operation: "vm.delete", fault: { cut: "after" } });
    await assert.rejects(replaceConfig(vmm, VM), { code: "closed" });
    assert.equal((await vmm.client.vm.info()).state, "Running");
  }));

test("replaceConfig() aborted before the deletion has done nothing", () =>
  running(async ({ fake, vmm }) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const seen = fake.events.length;
    const fetch = unixFetch(vmm.socketPath);
    const client = createClient(vmm.socketPath, {
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (url.endsWith("/vm.create")) controller.abort(reason);
        return response;
      },
    });
    const { signal } = controller;
    await assert.rejects(
      replaceConfig(client, VM, { signal }),
      (error) => error === reason,
    );
    assert.equal(fake.events.length, seen);
  }));

test("replaceConfig() leaves a VM that somebody made at the same time", () =>
  running(async ({ fake, vmm }) => {
    const chain = ["Error from API", "VM is not created"];
    fake.injectFault({ operation: "vm.info", fault: { status: 404, chain } });
    const seen = fake.events.length;
    await assert.rejects(replaceConfig(vmm, VM), { code: "already_exists" });
    assert.equal(fake.events.length, seen);
  }));

test("replaceConfig() says when the old VM did not come back", () =>
  running(async ({ fake, vmm }) => {
    fake.injectFault({ ...refuse("vm.boot"), times: 2 });
    await assert.rejects(replaceConfig(vmm, VM), (error) => {
      assert.ok(error instanceof RollbackError);
      assert.equal(error.remaining, "the old VM is gone");
      return true;
    });
  }));

test("replaceConfig() leaves a VM that was not booted as it was", () =>
  running(
    async ({ vmm }) => {
      const { vm } = vmm.client;
      await vm.create(VM);
      await assert.rejects(replaceConfig(vmm, { payload: {} }));
      const { state, config } = await vm.info();
      assert.equal(state, "Created");
      assert.equal(config.payload?.kernel, VM.payload.kernel);
    },
    {},
    false,
  ));

test("resizeAndWait() rejects as the VMM refuses, and after its time", () =>
  running(async ({ vmm }) => {
    await assert.rejects(resizeAndWait(vmm, { desired_vcpus: 9 }), {
      code: "invalid_config",
    });
    const { vm } = vmm.client;
    await vm.delete();
    await vm.create({ ...VM, cpus: { boot_vcpus: 2, max_vcpus: 2 } });
    await vm.boot();
    await assert.rejects(
      resizeAndWait(vmm, { desired_vcpus: 1 }, { timeoutMs: 100 }),
      {
        name: "TimeoutError",
        message: "Waited 100 ms for the VM to be resized, in vain",
      },
    );
  }));

test("waitForVmm() waits for a socket, and for no other's", async () => {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const path = join(directory, "vmm.sock");
  const waiting = waitForVmm(createClient(path));
  const one = await faked(directory);
  assert.equal((await waiting).pid, process.pid);
  one.fake.injectFault({
    operation: "vmm.ping",
    fault: { status: 503, chain: ["Too many open connections"] },
  });
  await waitForVmm(one.vmm);
  await one.end();
  await assert.rejects(
    waitForVmm(createClient(path), { timeoutMs: 50 }),
    { code: "deadline" },
  );
  const exit = { exitCode: 1, signal: null, stderr: "no such disk" };
  const exited = Promise.resolve(exit);
  await assert.rejects(
    waitForVmm({ client: createClient(path), exited }),
    { name: "VmmExitedError", message: /code 1: no such disk/ },
  );
  if (process.getuid?.() !== 0) {
    chmodSync(directory, 0);
    await assert.rejects(waitForVmm(createClient(path)), {
      code: "permission_denied",
    });
    chmodSync(directory, 0o700);
  }
  rmSync(directory, { recursive: true });
});

for (const withEvents of [true, false]) {
  const how = withEvents ? "events" : "polling";
  test(`waitForState() tells not yet from never, by ${how}`, () =>
    running(async ({ vmm, fake }) => {
      const { client } = vmm;
      const target = withEvents ? vmm : { client };
      const paused = waitForState(target, "Paused");
      await client.vm.pause();
      assert.equal((await paused).state, "Paused");
      const never = assert.rejects(waitForState(target, "Running"), {
        code: "not_created",
      });
      await waitForState(target, "Paused");
      await client.vm.delete();
      await never;

      const coming = waitForState(target, "Created");
      await client.vm.create(VM);
      await coming;
      const reason = new Error("enough");
      const controller = new AbortController();
      const { signal } = controller;
      const aborted = assert.rejects(
        waitForState(target, "Running", { signal }),
        (error) => error === reason,
      );
      controller.abort(reason);
      await aborted;

      fake.injectFault({ operation: "vm.info", fault: { cut: "before" } });
      await waitForState(target, "Created");
      const dead = assert.rejects(waitForState(target, "Running"), {
        code: "vmm_exited",
        exitCode: null,
      });
      fake.crash();
      await dead;
    }));

  test(`waitForDeviceRemoved() ends with the guest or the VM, by ${how}`, () =>
    running(async ({ vmm, fake }) => {
      const { client } = vmm;
      const target = withEvents ? vmm : { client };
      await client.vm.addDisk({ id: "d", path: "/a.raw" });
      await client.vm.removeDevice({ id: "d" });
      await assert.rejects(
        waitForDeviceRemoved(target, "d", { timeoutMs: 60 }),
        { message: 'Waited 60 ms for device "d" to be gone, in vain' },
      );
      const waiting = waitForDeviceRemoved(target, "d");
      fake.guest.perform({ releaseDevice: "d" });
      await waiting;
      await client.vm.addDisk({ id: "d", path: "/a.raw" });
      await client.vm.removeDevice({ id: "d" });
      const never = assert.rejects(waitForDeviceRemoved(target, "d"), {
        code: "not_created",
      });
      await waitForState(target, "Running");
      await client.vm.delete();
      await never;
    }));
}

test("waitForEvent() misses nothing after its call", () =>
  running(async ({ vmm }) => {
    const { client } = vmm;
    const pausing = waitForEvent(vmm, { source: "vm", event: "paused" });
    const any = waitForEvent(vmm, ({ event }) => event === "paused");
    await client.vm.pause();
    assert.equal((await pausing).event, "paused");
    assert.equal((await any).source, "vm");
    const past = await waitForEvent(vmm, { event: "booted" }, {
      from: "start",
    });
    assert.equal(past.event, "booted");
  }));

test("waitForEvent() tells not yet from never", () =>
  running(async ({ vmm, fake }) => {
    const { client } = vmm;
    await assert.rejects(waitForEvent(client, { event: "booted" }), {
      code: "invalid_request",
      field: "events",
      message: /eventsPath/,
    });
    await assert.rejects(
      waitForEvent(vmm, { event: "booted" }, { timeoutMs: 50 }),
      { code: "deadline" },
    );
    const never = assert.rejects(
      waitForEvent(vmm, { source: "vm", event: "device-removed" }),
      { code: "not_created" },
    );
    const later = waitForEvent(vmm, { source: "vm", event: "booted" });
    await client.vm.delete();
    await never;
    await client.vm.create(VM);
    await client.vm.boot();
    await later;
    const gone = assert.rejects(
      waitForEvent(vmm, { source: "vm", event: "resized" }),
      { code: "vmm_exited" },
    );
    await client.vmm.shutdown();
    await fake.exited;
    await gone;
  }));

test("Scope.race() takes care of a promise that it does not wait for", async () => {
  const scope = new AbortScope("nothing", {});
  scope.close();
  await assert.rejects(scope.race(Promise.reject(new Error("astray"))), {
    name: "AbortError",
  });
});
