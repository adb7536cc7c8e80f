import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { releaseNames } from "../../testing/release.ts";
import { createClient, unixFetch } from "../../mod.ts";
import { replaceConfig, RollbackError } from "../../src/workflows/mod.ts";
import { refuse, running, VM } from "../support/running_vm.ts";

for (const release of releaseNames) {
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
      assert.equal(error.remaining, "The old VM is gone");
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

test("replaceConfig() refuses what landlock would make final", () =>
  running(async ({ fake, vmm, directory }) => {
    const { vm } = vmm.client;
    const disk = (name: string) => [{ path: join(directory, name) }];
    const a = { ...VM, disks: disk("a"), landlock_enable: true };
    await vm.delete();
    await vm.create(a);
    await vm.boot();
    const seen = fake.events.length;
    const refused = {
      code: "invalid_request",
      field: "config",
      message: new RegExp(`the new configuration names "${directory}/b"`),
    };
    const b = { ...a, disks: disk("b") };
    await assert.rejects(replaceConfig(vmm, b), refused);
    const { landlock_enable: _, ...unconfined } = b;
    await assert.rejects(replaceConfig(vmm, unconfined), refused);
    assert.equal(fake.events.length, seen);
    const more = { ...a, cpus: { boot_vcpus: 2, max_vcpus: 2 } };
    const { config } = await replaceConfig(vmm, more);
    assert.equal(config.cpus.boot_vcpus, 2);
    await vm.delete();
    await vm.create({ ...VM, disks: disk("a") });
    await assert.rejects(replaceConfig(vmm, b), {
      message: new RegExp(`does not allow "${directory}/a"`),
    });
    // A rule for the directory allows both.
    const rules = [{ path: directory, access: "rw" }];
    await replaceConfig(vmm, { ...b, landlock_rules: rules });
    await replaceConfig(vmm, { ...a, landlock_rules: rules });
  }));
