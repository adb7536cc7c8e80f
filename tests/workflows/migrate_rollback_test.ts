import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { spawnVmm } from "../../src/process/mod.ts";
import { migrateVm } from "../../src/workflows/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { cut, fails, pair } from "../support/migration.ts";
import { REFUSAL, VM } from "../support/running_vm.ts";
import { faked, inDirectory } from "../support/vmms.ts";

test("migrateVm() aborted while the destination waits frees both sides", () =>
  pair(async ({ from, to }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    // Before the workflow can have read the event, and so before it sends.
    void to.fake.event("migration-receive-ready").then(() =>
      controller.abort(reason)
    );
    const migrating = migrateVm(from.vmm, to.vmm, { signal });
    assert.equal((await fails(migrating, "Running", "none")).cause, reason);
    await to.vmm.client.vmm.ping();
    assert.equal((await from.vmm.client.vm.info()).state, "Running");
  }));

test("migrateVm() aborted at the switch gives the outcome's states", () =>
  pair(async ({ from, to }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const migrating = migrateVm(from.vmm, to.vmm, {
      signal,
      onProgress({ stage }) {
        if (stage === "switching") controller.abort(new Error("too late"));
      },
    });
    await fails(migrating, "gone", "Running");
  }));

test("migrateVm() aborted while it looks has done nothing", () =>
  pair(async ({ from, to }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const before = to.fake.requests.length;
    to.fake.injectFault({ operation: "vm.info", fault: { delayMs: 60_000 } });
    const migrating = migrateVm(from.vmm, to.vmm, { signal });
    while (to.fake.requests.length === before) await turn();
    controller.abort(reason);
    await assert.rejects(migrating, (error) => error === reason);
    assert.equal(to.fake.requests.length, before + 1);
  }));

for (const last of ["migration-started", "pausing", "snapshotted"] as const) {
  test(`migrateVm() loses no VM when no event after ${last} comes`, () =>
    inDirectory(async (directory) => {
      const from = await faked(directory);
      await from.vmm.client.vm.create(VM);
      await from.vmm.client.vm.boot();
      const to = await spawnVmm({ command: fakeCommand() });
      const controller = new AbortController();
      const source = { ...from.vmm, events: cut(from.vmm, last) };
      const migrating = migrateVm(source, to, { signal: controller.signal });
      await from.fake.event("shutdown");
      controller.abort(new Error("too late"));
      await fails(migrating, "gone", "Running");
      await to.kill();
      await from.end();
    }));
}

test("migrateVm() succeeds where the source ends before its last event", () =>
  pair(async ({ from, to }) => {
    const stages: string[] = [];
    const source = { ...from.vmm, events: cut(from.vmm, "snapshotted", true) };
    const info = await migrateVm(source, to.vmm, {
      onProgress: ({ stage }) => stages.push(stage),
    });
    assert.equal(info.state, "Running");
    assert.deepEqual(stages, [
      "started",
      "iteration",
      "switching",
      "finished",
    ]);
  }));

test("migrateVm() keeps a VM that came while the destination was released", () =>
  pair(async ({ from, to }) => {
    const controller = new AbortController();
    const source = { ...from.vmm, events: cut(from.vmm, "migration-started") };
    const { signal } = controller;
    from.fake.injectFault({
      operation: "vm.info",
      fault: { delayMs: 50 },
      after: 1,
    });
    const migrating = migrateVm(source, to.vmm, { signal });
    await from.fake.event("pausing");
    controller.abort(new Error("too late"));
    await fails(migrating, "gone", "Running");
  }));

test("migrateVm() ends a destination of the script's own when it fails", () =>
  inDirectory(async (directory) => {
    const from = await faked(directory);
    await from.vmm.client.vm.create(VM);
    await from.vmm.client.vm.boot();
    const to = await spawnVmm({ command: fakeCommand() });
    from.fake.injectFault({ operation: "vm.send-migration", fault: REFUSAL });
    await fails(migrateVm(from.vmm, to), "Running", "gone");
    assert.equal((await to.exited).signal, "SIGKILL");
    assert.equal(to.client.socketPath.startsWith(directory), false);
    await from.end();
  }));
