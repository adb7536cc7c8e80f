import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { createClient } from "../../mod.ts";
import {
  waitForDeviceRemoved,
  waitForEvent,
  waitForState,
  waitForVmm,
} from "../../src/workflows/mod.ts";
import { faked } from "../support/vmms.ts";
import { running, VM } from "../support/running_vm.ts";

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
        {
          message:
            `VM at "${vmm.socketPath}" still has device "d" after 60 ms; the guest did not release it; is a driver loaded?`,
        },
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
