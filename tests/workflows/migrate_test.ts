import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { spawnVmm } from "../../src/process/mod.ts";
import {
  migrateVm,
  MigrationError,
  type MigrationProgress,
} from "../../src/workflows/mod.ts";
import { fakeCommand, type FakeVmmOptions } from "../../testing/mod.ts";
import { releaseNames } from "../../testing/release.ts";
import { freePort } from "../support/port.ts";
import type { EventReader } from "../../src/vmm/vmm.ts";
import {
  type Faked,
  faked,
  inDirectory,
  programs,
  smallVm,
} from "../support/vmms.ts";

const VM = { payload: { kernel: "/boot/vmlinux" } };
const REFUSAL = { status: 500, chain: ["Error from API", "not today"] };

interface Pair {
  readonly directory: string;
  readonly from: Faked;
  readonly to: Faked;
}

/** Two fakes, one with a running VM. */
async function pair(
  body: (pair: Pair) => Promise<void>,
  { source, destination }: {
    source?: FakeVmmOptions;
    destination?: FakeVmmOptions;
  } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const from = await faked(directory, source, "from");
  const to = await faked(directory, destination, "to");
  try {
    await from.vmm.client.vm.create(VM);
    await from.vmm.client.vm.boot();
    await body({ directory, from, to });
  } finally {
    await from.end();
    await to.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Fails as asked, and tells both sides' states. */
async function fails(
  migrating: Promise<unknown>,
  source: string,
  destination: string,
): Promise<MigrationError> {
  const error = await migrating.then(() => undefined, (error) => error);
  assert.ok(error instanceof MigrationError, String(error?.stack ?? error));
  assert.deepEqual(
    { source: error.source, destination: error.destination },
    { source, destination },
    error.message,
  );
  return error;
}

/** The VMM's events, of which none comes after that one. */
function cut(vmm: Faked["vmm"], last: string, ends = false): EventReader {
  return async function* (options) {
    for await (const event of vmm.events!(options)) {
      yield event;
      if (event.event === last) break;
    }
    if (ends) return;
    const { signal } = options!;
    await new Promise((resolve) => signal!.addEventListener("abort", resolve));
  };
}

for (const release of releaseNames) {
  for (const way of ["unix", "tcp"] as const) {
    test(`migrateVm() moves a VM by ${way} on ${release}`, () =>
      pair(async ({ from, to }) => {
        const progress: MigrationProgress[] = [];
        const before = readdirSync(tmpdir());
        const info = await migrateVm(from.vmm, to.vmm, {
          onProgress: (step) => progress.push(step),
          ...way === "tcp" && { url: `tcp:127.0.0.1:${await freePort()}` },
        });
        assert.equal(info.state, "Running");
        assert.equal((await from.fake.exited).code, 0);
        await assert.rejects(from.vmm.client.vmm.ping());
        assert.deepEqual(progress, [
          { stage: "started" },
          { stage: "iteration", iteration: 0 },
          { stage: "switching" },
          { stage: "finished" },
        ]);
        const left = readdirSync(tmpdir()).filter((name) =>
          name.startsWith("chv-migration-") && !before.includes(name)
        );
        assert.deepEqual(left, []);
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
    assert.equal(
      (await migrateVm(from.vmm, to.vmm, { send })).state,
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

test("migrateVm() aborted while the destination waits frees both sides", () =>
  pair(async ({ from, to }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const fault = { delayMs: 100 };
    from.fake.injectFault({ operation: "vm.send-migration", fault });
    void to.fake.event("migration-receive-ready").then(() =>
      setImmediate(() => controller.abort(reason))
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

test("migrateVm() keeps a VM that came while the destination was let go", () =>
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
      assert.match(String(error.cause), /the source reports a failure/);
      await to.kill();
      await from.kill();
    }));
}
