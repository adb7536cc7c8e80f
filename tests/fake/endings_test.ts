/** Requests that end or hang the VMM, and faults that do. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ApiError, createClient } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import {
  FakeClock,
  fakeProgram,
  FakeVmm,
  type FakeVmmOptions,
} from "../../testing/mod.ts";
import { freePort } from "../support/port.ts";
import { inDirectory } from "../support/vmms.ts";

const kernel = { payload: { kernel: "/boot/vmlinux" } };
const cpus = { boot_vcpus: 1, max_vcpus: 1 };

async function within(
  options: FakeVmmOptions,
  body: (space: { vmm: FakeVmm; vm: Api }) => Promise<void>,
): Promise<void> {
  const vmm = await FakeVmm.start({ files: "any", ...options });
  const client = createClient(vmm.socketPath, {
    allowFatal: true,
    timeoutMs: Infinity,
  });
  try {
    await body({ vmm, vm: client.vm });
  } finally {
    await vmm.close();
  }
}

type Api = ReturnType<typeof createClient>["vm"];

test("a vCPU without a CPU of the host hangs vm.boot and all later calls", () =>
  within({}, async ({ vmm, vm }) => {
    const affinity = [{ vcpu: 0, host_cpus: [] }];
    await vm.create({ ...kernel, cpus: { ...cpus, affinity } });
    const abort = new AbortController();
    const { signal } = abort;
    const calls = Promise.allSettled([
      vm.boot({ signal }),
      vm.info({ signal }),
    ]);
    while (vmm.requests.at(-1)?.operation !== "vm.boot") {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort(new Error("stop"));
    for (const call of await calls) {
      assert.match(String((call as PromiseRejectedResult).reason), /stop/);
    }
    assert.equal(vmm.requests.at(-1)!.status, undefined);
  }));

test("a migration to the name of a host ends the VMM with SIGSYS", () =>
  within({ boot: kernel }, async ({ vmm, vm }) => {
    await vm.sendMigration({ destination_url: "tcp:localhost:6000" });
    assert.deepEqual(await vmm.exited, { code: null, signal: "SIGSYS" });
  }));

test("a migration of shared memory without local ends both VMMs", () =>
  inDirectory(async (directory) => {
    const url = `unix:${join(directory, "m")}`;
    const memory = { size: 1 << 30, shared: true };
    await within(
      {},
      (to) =>
        within({ boot: { ...kernel, memory } }, async (from) => {
          const received = to.vm.receiveMigration({ receiver_url: url });
          received.catch(() => {});
          await to.vmm.event("migration-receive-ready");
          await from.vm.sendMigration({ destination_url: url });
          const exit = { code: null, signal: "SIGSYS" };
          assert.deepEqual(await from.vmm.exited, exit);
          assert.deepEqual(await to.vmm.exited, exit);
          await assert.rejects(received, { code: "closed" });
        }),
    );
  }));

test("the stand-in program ends by the signal that ends the real one", async () => {
  const vmm = await spawnVmm({
    ...fakeProgram({ files: "any" }),
    config: kernel,
    client: { allowFatal: true },
  });
  await vmm.client.vm.sendMigration({ destination_url: "tcp:localhost:6000" });
  const { exitCode, signal } = await vmm.exited;
  assert.deepEqual({ exitCode, signal }, { exitCode: null, signal: "SIGSYS" });
  await vmm.kill();
});

test("fakeProgram({ faults }) fails requests on demand", async () => {
  const chain = ["Error from API", "no more disks"];
  const vmm = await spawnVmm(fakeProgram({
    faults: [{
      operation: "vm.create",
      times: Infinity,
      fault: { status: 500, chain },
    }],
  }));
  for (let count = 0; count < 3; count++) {
    await assert.rejects(
      vmm.client.vm.create(kernel),
      (error: ApiError) => error.messages.at(-1) === "no more disks",
    );
  }
  await vmm.kill();
});

test("FakeVmm.start({ eventsPath }) writes the events to a file", () =>
  inDirectory(async (directory) => {
    const eventsPath = join(directory, "events");
    await within({ eventsPath, boot: kernel }, async ({ vm }) => {
      await vm.shutdown();
      const names = [
        ...readFileSync(eventsPath, "utf8")
          .matchAll(/"event": "([\w-]+)"/g),
      ].map(([, name]) => name);
      assert.deepEqual(names, ["starting", "booting", "booted", "shutdown"]);
    });
  }));

/** Starts a migration that takes a minute of a clock. */
function migrating(
  body: (
    space: {
      from: { vmm: FakeVmm; vm: Api };
      to: { vmm: FakeVmm; vm: Api };
      clock: FakeClock;
      received: Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const guest = { migrationMs: 60_000 };
  return within(
    {},
    (to) =>
      within({ clock, guest, boot: kernel }, async (from) => {
        const url = `tcp:127.0.0.1:${await freePort()}`;
        const received = to.vm.receiveMigration({ receiver_url: url });
        received.catch(() => {});
        await to.vmm.event("migration-receive-ready");
        await from.vm.sendMigration({ destination_url: url });
        await from.vmm.event("migration-memory-iteration");
        await body({ from, to, clock, received });
      }),
  );
}

test("a migration takes as long as migrationMs says", () =>
  migrating(async ({ from, to, clock, received }) => {
    clock.advance(59_999);
    await assert.rejects(from.vm.pause(), { code: "migrating" });
    clock.advance(1);
    await received;
    assert.deepEqual(await from.vmm.exited, { code: 0, signal: null });
    assert.equal((await to.vm.info()).state, "Running");
  }));

test("a migration fails when its destination dies, and the VM goes on", () =>
  migrating(async ({ from, to }) => {
    await to.vmm.crash();
    await from.vmm.event("migration-failed");
    assert.equal((await from.vm.info()).state, "Running");
  }));

test("a migration fails when its source dies, and leaves the configuration", () =>
  migrating(async ({ from, to, received }) => {
    await from.vmm.crash();
    await assert.rejects(received, ApiError);
    const { state, config } = await to.vm.info();
    assert.equal(state, "Created");
    assert.equal(config.payload?.kernel, kernel.payload.kernel);
  }));

test("a back end that does not listen holds vm.boot up for a minute", async () => {
  const clock = new FakeClock();
  await within({ clock, files: "real" }, async ({ vmm, vm }) => {
    const path = new URL(import.meta.url).pathname;
    await vm.create({
      payload: { kernel: path },
      memory: { size: 1 << 30, shared: true },
      fs: [{ tag: "fs", socket: "/run/missing.sock" }],
    });
    const booting = vm.boot();
    booting.catch(() => {});
    while (vmm.requests.at(-1)?.operation !== "vm.boot") {
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(59_999);
    assert.equal(vmm.requests.at(-1)!.status, undefined);
    clock.advance(1);
    await assert.rejects(
      booting,
      (error: ApiError) =>
        error.messages.at(-1) === "Timed out waiting for vhost-user connection",
    );
  });
});

test("a client that does not read keeps no VMM from its end", () =>
  within({}, async ({ vmm }) => {
    const client = connect(vmm.socketPath).on("error", () => {});
    client.write("GET /api/v1/vmm.ping HTTP/1.1\r\n\r\n".repeat(10_000));
    while (vmm.requests.length < 10_000) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vmm.close();
    client.destroy();
  }));
