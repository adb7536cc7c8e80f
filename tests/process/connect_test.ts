/** Handles of VMMs that another program started. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { connectVmm, spawnVmm } from "../../src/process/mod.ts";
import { waitForEvent } from "../../src/workflows/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { VM } from "../support/running_vm.ts";
import { inDirectory, programs } from "../support/vmms.ts";

test("connectVmm() drives a VMM that another program started", async () => {
  const fake = await FakeVmm.start({ files: "any" });
  const vmm = await connectVmm(fake.socketPath);
  assert.equal(vmm.events, undefined);
  assert.ok(!("kill" in vmm) && !("pid" in vmm) && !("exited" in vmm));
  await vmm.client.vmm.ping();
  await vmm[Symbol.asyncDispose]();
  await assert.rejects(vmm.client.vmm.ping(), { code: "invalid_request" });
  assert.equal(fake.exited instanceof Promise, true);
  const again = await connectVmm(fake.socketPath);
  assert.deepEqual(await again.stop(), {
    step: "vmm.shutdown",
    graceful: true,
  });
  assert.deepEqual(await again.stop(), { step: "already", graceful: true });
  await fake.close();
});

test("connectVmm() refuses URLs as paths", async () => {
  await assert.rejects(connectVmm("unix:///run/a.sock"), {
    code: "invalid_request",
    field: "socketPath",
  });
  const eventsPath = "file:///run/events";
  await assert.rejects(connectVmm("/run/a.sock", { eventsPath }), {
    code: "invalid_request",
    field: "eventsPath",
    message: 'eventsPath: takes a path, not the URL "file:///run/events"; ' +
      'write "/run/events"',
  });
});

test("all readers of a handle share the reader of a named pipe", () =>
  inDirectory(async (directory) => {
    const pipe = join(directory, "events");
    execFileSync("mkfifo", [pipe]);
    const fd = openSync(pipe, "r+");
    const fake = await FakeVmm.start({ files: "any", eventFd: fd });
    const vmm = await connectVmm(fake.socketPath, { eventsPath: pipe });
    const { vm } = vmm.client;
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { event } of vmm.events!()) {
        seen.push(event);
        if (event === "deleted") break;
      }
    })();
    await vm.create(VM);
    await vm.boot();
    for (let round = 0; round < 20; round++) {
      const paused = waitForEvent(vmm, { source: "vm", event: "paused" });
      const resumed = waitForEvent(vmm, { source: "vm", event: "resumed" });
      await vm.pause();
      await paused;
      await vm.resume();
      await resumed;
    }
    await vm.delete();
    await reading;
    const names = fake.events.map(({ event }) => event as string);
    assert.deepEqual(seen, names);
    // Nobody reads now. The next reader misses nothing, and gets the past.
    await vm.create(VM);
    await vm.boot();
    const booted = { source: "vm", event: "booted" } as const;
    let count = 0;
    for await (const event of vmm.events!()) {
      if (event.source === booted.source && event.event === booted.event) {
        count++;
      }
      if (count === 2) break;
    }
    await assert.rejects(waitForEvent(vmm, booted, { timeoutMs: 20 }), {
      code: "deadline",
    });
    await vmm[Symbol.asyncDispose]();
    await fake.close();
    closeSync(fd);
  }));

for (const { name, command, test } of programs) {
  test(`the events of a handle end when ${name} is killed`, () =>
    inDirectory(async (directory) => {
      const owner = await spawnVmm({ command, directory });
      const eventsPath = join(directory, "events");
      const vmm = await connectVmm(owner.socketPath, { eventsPath });
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { event } of vmm.events!()) seen.push(event);
      })();
      const isGone = { code: "vmm_exited", exitCode: null };
      const { client } = vmm;
      const booted = { event: "booted" } as const;
      const waits = [
        assert.rejects(waitForEvent(vmm, booted), isGone),
        // A reader that does not know the VMM's end.
        assert.rejects(
          waitForEvent({ client, events: endless }, booted),
          isGone,
        ),
      ];
      await client.vmm.ping();
      process.kill(owner.pid, "SIGKILL");
      await reading;
      assert.deepEqual(seen, ["starting"]);
      await Promise.all(waits);
      await owner.kill();
    }));
}

/** No events, until the signal. */
// deno-lint-ignore require-yield
async function* endless(
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<never, void, void> {
  await new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}
