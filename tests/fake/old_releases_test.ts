/** Behaviour of old releases that their recordings do not show. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type Client, createClient } from "../../mod.ts";
import { FakeVmm, type FakeVmmOptions } from "../../testing/mod.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { inDirectory } from "../support/vmms.ts";

const VM = { payload: { kernel: "/boot/vmlinux" } };

interface Fake {
  readonly fake: FakeVmm;
  readonly client: Client;
  readonly directory: string;
}

function within(
  release: ReleaseName,
  body: (fake: Fake) => Promise<void>,
  options: FakeVmmOptions = {},
): Promise<void> {
  return inDirectory(async (directory) => {
    const fake = await FakeVmm.start({ files: "any", release, ...options });
    const client = createClient(fake.socketPath, { allowFatal: true });
    try {
      await body({ fake, client, directory });
    } finally {
      await fake.close();
    }
  });
}

const names = (fake: FakeVmm): string[] => fake.events.map((one) => one.event);

for (const release of ["v52.0", "v51.1"] as const) {
  test(`FakeVmm as ${release} resumes a paused VM at vm.boot`, () =>
    within(release, async ({ fake, client: { vm } }) => {
      await vm.pause();
      await vm.boot();
      assert.equal((await vm.info()).state, "Running");
      const last = ["booting", "resuming", "resumed", "booted"];
      assert.deepEqual(names(fake).slice(-4), last);
    }, { boot: VM }));

  test(`FakeVmm as ${release} boots a half-built VM, and ends`, () =>
    within(release, async ({ fake, client: { vm }, directory }) => {
      const kernel = join(directory, "kernel");
      writeFileSync(kernel, "no kernel".repeat(999));
      await vm.create({ payload: { kernel } });
      await assert.rejects(vm.boot(), { operation: "vm.boot" });
      await vm.boot();
      assert.deepEqual(await fake.exited, { code: 0, signal: null });
    }, { files: "real" }));

  test(`FakeVmm as ${release} ends at a migration without a VM`, () =>
    within(release, async ({ fake, client: { vm } }) => {
      const sent = vm.sendMigration({ destination_url: "unix:/nowhere" });
      await assert.rejects(sent, { code: "vmm_gone" });
      assert.deepEqual(await fake.exited, { code: 1, signal: null });
    }));

  test(`FakeVmm as ${release} reports success for a VM that it did not take`, () =>
    within(release, async ({ fake, client: { vm }, directory }) => {
      const url = `unix:${join(directory, "socket")}`;
      const disks = [{ path: join(directory, "disk") }];
      const options = { files: "any", release } as const;
      const from = await FakeVmm.start({ ...options, boot: { ...VM, disks } });
      const { vm: source } = createClient(from.socketPath);
      const received = vm.receiveMigration({ receiver_url: url });
      await listening(url);
      const sent = source.sendMigration({ destination_url: url });
      await assert.rejects(sent, { operation: "vm.send-migration" });
      await received;
      await assert.rejects(vm.info(), { code: "not_created" });
      assert.equal((await source.info()).state, "Running");
      assert.equal(names(fake).includes("restored"), false);
      await from.close();
    }, { files: "real" }));

  test(`FakeVmm as ${release} loses output before the first reader`, () =>
    within(release, async ({ fake, client: { vm }, directory }) => {
      const socket = join(directory, "serial");
      await vm.create({ ...VM, serial: { mode: "Socket", socket } });
      await vm.boot();
      fake.guest.print("early");
      const reader = connect(socket);
      await new Promise((resolve) => reader.once("connect", resolve));
      // The guest has the reader once it is accepted.
      while (reader.bytesRead === 0) {
        fake.guest.print("l");
        await new Promise((resolve) => setImmediate(resolve));
      }
      const text = await new Promise((resolve) => reader.once("data", resolve));
      assert.match(String(text), /^l+$/);
      reader.destroy();
    }));
}

test("FakeVmm as v51.1 resumes a paused VM that is to be sent", () =>
  within("v51.1", async ({ client: { vm }, directory }) => {
    const url = `unix:${join(directory, "socket")}`;
    const to = await FakeVmm.start({ files: "any", release: "v51.1" });
    const { vm: other } = createClient(to.socketPath);
    const received = other.receiveMigration({ receiver_url: url });
    received.catch(() => {});
    await listening(url);
    await vm.pause();
    const sent = vm.sendMigration({ destination_url: url });
    await assert.rejects(sent, { message: /InvalidStateTransition\(Paused/ });
    assert.equal((await vm.info()).state, "Running");
    await assert.rejects(received, {
      message: /failed to fill whole buffer/,
      code: "other",
    });
    // The transfer broke behind the configuration.
    assert.equal((await other.info()).state, "Created");
    await other.boot();
    await to.close();
  }, { boot: VM }));

/** Resolves once the file of a Unix socket is there. */
async function listening(url: string): Promise<void> {
  while (!existsSync(url.slice("unix:".length))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
