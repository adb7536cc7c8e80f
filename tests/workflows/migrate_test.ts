import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { spawnVmm } from "../../src/process/mod.ts";
import { migrateVm, type MigrationProgress } from "../../src/workflows/mod.ts";
import { freePort } from "../support/port.ts";
import { caseReleases } from "../support/case_releases.ts";
import { fails, pair } from "../support/migration.ts";
import { REFUSAL, VM } from "../support/running_vm.ts";
import {
  inDirectory,
  inTemporary,
  programs,
  smallVm,
} from "../support/vmms.ts";

for (const release of caseReleases) {
  for (const way of ["unix", "tcp"] as const) {
    test(`migrateVm() moves a VM by ${way} on ${release}`, () =>
      pair(async ({ directory, from, to }) => {
        const progress: MigrationProgress[] = [];
        const url = way === "tcp" && `tcp:127.0.0.1:${await freePort()}`;
        const left = await inTemporary(directory, async () => {
          const info = await migrateVm(from.vmm, to.vmm, {
            onProgress: (step) => progress.push(step),
            ...url && { url },
          });
          assert.equal(info.state, "Running");
        });
        assert.deepEqual(left, []);
        assert.equal((await from.fake.exited).code, 0);
        await assert.rejects(from.vmm.client.vmm.ping());
        assert.deepEqual(progress, [
          { stage: "started" },
          { stage: "iteration", iteration: 0 },
          { stage: "switching" },
          { stage: "finished" },
        ]);
      }, { source: { release }, destination: { release } }));
  }
}

test("migrateVm() needs no events of the destination on a Unix socket", () =>
  pair(async ({ from, to }) => {
    await from.vmm.client.vm.pause();
    const info = await migrateVm(from.vmm, to.vmm.client);
    assert.equal(info.state, "Paused");
  }));

test("migrateVm() keeps the source that is to be preserved", () =>
  pair(async ({ from, to }) => {
    const { vm } = from.vmm.client;
    await vm.delete();
    await vm.create({ ...VM, memory: { size: 64 << 20, shared: true } });
    await vm.boot();
    const send = { preserve_source: true, local: true };
    const sent = from.fake.requests.length;
    await assert.rejects(migrateVm(from.vmm, to.vmm, { send }), {
      code: "fatal_request",
      field: "memory.shared",
      operation: "vm.send-migration",
      message: /shared memory kills the source and the destination.*allowFatal/,
    });
    assert.equal(from.fake.requests.length, sent + 1);
    assert.equal(
      (await migrateVm(from.vmm, to.vmm, { send, allowFatal: true })).state,
      "Running",
    );
    await from.vmm.client.vmm.ping();
  }));

test("migrateVm() refuses what it could not tell the outcome of", () =>
  pair(async ({ from, to }) => {
    const refused = async (
      migrating: Promise<unknown>,
      field: string,
    ): Promise<void> => {
      await assert.rejects(migrating, { code: "invalid_request", field });
    };
    await refused(migrateVm(from.vmm.client, to.vmm), "source");
    const url = "tcp:127.0.0.1:1";
    await refused(migrateVm(from.vmm, to.vmm.client, { url }), "destination");
    await refused(migrateVm(from.vmm, to.vmm, { url: "/socket" }), "url");
    await to.vmm.client.vm.create(VM);
    await refused(migrateVm(from.vmm, to.vmm), "destination");
    assert.ok(!to.fake.requests.some(({ path }) => path.includes("receive")));
    assert.ok(!from.fake.requests.some(({ path }) => path.includes("send")));
  }));

test("migrateVm() fails with a destination that does not listen", () =>
  pair(async ({ from, to }) => {
    to.fake.injectFault({ operation: "vm.receive-migration", fault: REFUSAL });
    const error = await fails(migrateVm(from.vmm, to.vmm), "Running", "none");
    assert.equal(
      (error.cause as { operation?: string }).operation,
      "vm.receive-migration",
    );
    // The same two can be tried again.
    assert.equal((await migrateVm(from.vmm, to.vmm)).state, "Running");
  }));

test("migrateVm() releases a destination when the source does not send", () =>
  pair(async ({ from, to }) => {
    from.fake.injectFault({ operation: "vm.send-migration", fault: REFUSAL });
    const error = await fails(migrateVm(from.vmm, to.vmm), "Running", "none");
    assert.equal(
      (error.cause as { operation?: string }).operation,
      "vm.send-migration",
    );
    assert.equal((await migrateVm(from.vmm, to.vmm)).state, "Running");
  }));

test("migrateVm() reports a VM that the destination does not take", () =>
  pair(async ({ from, to }) => {
    const stages: string[] = [];
    await fails(
      migrateVm(from.vmm, to.vmm, {
        receive: { zone_updates: [{ id: "no such zone", host_numa_node: 0 }] },
        onProgress: ({ stage }) => stages.push(stage),
      }),
      "Running",
      "none",
    );
    assert.equal(stages.at(-1), "failed");
  }));

test("migrateVm() survives the destination's death", () =>
  pair(async ({ from, to }) => {
    void to.fake.event("migration-receive-started").then(() => to.fake.crash());
    await fails(migrateVm(from.vmm, to.vmm), "Running", "gone");
    await from.vmm.client.vmm.ping();
  }));

test("migrateVm() reports the source's death", () =>
  pair(async ({ from, to }) => {
    void from.fake.event("migration-started").then(() => from.fake.crash());
    const migrating = migrateVm(from.vmm, to.vmm, { timeoutMs: 1000 });
    await fails(migrating, "gone", "none");
  }));

for (const { name, command, test } of programs) {
  test(`migrateVm() moves a VM between two of ${name}`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory);
      const from = await spawnVmm({ command, config });
      const to = await spawnVmm({ command });
      const stages: string[] = [];
      const info = await migrateVm(from, to, {
        timeoutMs: 30_000,
        onProgress: ({ stage }) => stages.push(stage),
      });
      assert.equal(info.state, "Running");
      assert.equal(stages[0], "started");
      assert.equal(stages.at(-1), "finished");
      assert.equal((await from.exited).exitCode, 0);
      assert.equal((await from.stop()).step, "already");
      await to.kill();
    }));

  test(`migrateVm() gives up on ${name}, and the source goes on`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory);
      const from = await spawnVmm({ command, config });
      const to = await spawnVmm({ command });
      const path = join(directory, "socket");
      // The source cannot reach what the destination listens on.
      const error = await fails(
        migrateVm(from, {
          client: to.client,
          events: to.events,
        }, {
          url: `unix:${path}.wrong`,
          receiverUrl: `unix:${path}`,
          timeoutMs: 30_000,
        }),
        "Running",
        "none",
      );
      // Up to v52.0 the VMM's answer has the reason.
      assert.match(
        String(error.cause),
        /the source reports a failure|vm\.send-migration on/,
      );
      await to.kill();
      await from.kill();
    }));
}
