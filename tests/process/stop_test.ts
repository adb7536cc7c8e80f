import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DeadlineError } from "../../mod.ts";
import { spawnVmm, type StopStep } from "../../src/process/mod.ts";
import { faked, inDirectory, isRunning } from "../support/vmms.ts";

const STUBBORN = fileURLToPath(
  new URL("../programs/stubborn.ts", import.meta.url),
);
const COMMAND = "Deno" in globalThis
  ? [process.execPath, "run", "-A", "--no-check", STUBBORN]
  : [process.execPath, STUBBORN];
const VM = { payload: { kernel: "/boot/vmlinux" } };

/** The steps that are refused, true if the guest obeys, and the last step. */
const DESCENTS: [refuses: string[], obeys: boolean, step: StopStep][] = [
  [[], true, "power-button"],
  [[], false, "vmm.shutdown"],
  [["vm.power-button"], true, "vmm.shutdown"],
  [["vm.power-button", "vm.shutdown"], true, "vmm.shutdown"],
  [["vm.shutdown"], false, "vmm.shutdown"],
  [["vmm.shutdown"], false, "SIGTERM"],
  [["vm.info", "vmm.shutdown"], false, "SIGTERM"],
  [["vm.shutdown", "vmm.shutdown", "SIGTERM"], false, "SIGKILL"],
];

for (const [refuses, obeys, step] of DESCENTS) {
  const how = `${refuses.join(", ") || "nothing"} refused and a guest that ${
    obeys ? "obeys" : "does not"
  }`;
  test(`stop() ends a VMM by ${step} with ${how}`, async () => {
    const vmm = await spawnVmm({
      command: COMMAND,
      config: VM,
      env: {
        STUBBORN: refuses.join(),
        ...(obeys && { POWERS_OFF: "1" }),
      },
    });
    const result = await vmm.stop({ timeoutMs: 1000 });
    assert.deepEqual(result, { step, graceful: step === "power-button" });
    const { exitCode, signal } = await vmm.exited;
    assert.deepEqual(
      { exitCode, signal },
      step === "SIGKILL"
        ? { exitCode: null, signal: "SIGKILL" }
        : { exitCode: 0, signal: null },
    );
    assert.equal(isRunning(vmm.pid), false);
    assert.equal(existsSync(vmm.directory), false);
  });
}

test("stop() called twice at once has one outcome", async () => {
  const vmm = await spawnVmm({ command: COMMAND, config: VM });
  const [one, other] = await Promise.all([
    vmm.stop({ timeoutMs: 800 }),
    vmm.stop(),
  ]);
  assert.equal(one, other);
  assert.deepEqual(await vmm.stop(), { step: "already", graceful: true });
});

test("stop() of a VMM that a script connected to ends with vmm.shutdown", async () => {
  await inDirectory(async (directory) => {
    const { fake, vmm, end } = await faked(directory);
    await vmm.client.vm.create(VM);
    await vmm.client.vm.boot();
    fake.injectFault({
      operation: "vmm.shutdown",
      fault: { status: 500, chain: ["Error from API", "no"] },
    });
    await assert.rejects(vmm.stop({ timeoutMs: 400 }), (error) => {
      assert.ok(error instanceof DeadlineError);
      assert.match(error.message, /^VMM at ".*" has not ended after 400 ms$/);
      return true;
    });
    assert.deepEqual(await vmm.stop({ timeoutMs: 5000 }), {
      step: "vmm.shutdown",
      graceful: true,
    });
    await fake.exited;
    await end();
  });
});

test("stop() takes a connection that closes at the end for success", async () => {
  await inDirectory(async (directory) => {
    const { fake, vmm, end } = await faked(directory);
    fake.injectFault({ operation: "vmm.shutdown", fault: { cut: "after" } });
    assert.equal((await vmm.stop()).step, "vmm.shutdown");
    await end();
  });
});

test("stop() sees that the VMM died on the way", async () => {
  for (
    const operation of ["vm.info", "vm.power-button", "vm.shutdown"] as const
  ) {
    await inDirectory(async (directory) => {
      const { fake, vmm, end } = await faked(directory);
      await vmm.client.vm.create(VM);
      await vmm.client.vm.boot();
      fake.injectFault({ operation, fault: "crash" });
      const { step } = await vmm.stop({ timeoutMs: 600 });
      assert.equal(
        step,
        {
          "vm.info": "already",
          "vm.power-button": "power-button",
          "vm.shutdown": "vm.shutdown",
        }[operation],
      );
      await end();
    });
  }
});

test("stop() asks no guest that is paused or was never booted", async () => {
  for (const paused of [true, false]) {
    await inDirectory(async (directory) => {
      const { fake, vmm, end } = await faked(directory);
      await vmm.client.vm.create(VM);
      if (paused) {
        await vmm.client.vm.boot();
        await vmm.client.vm.pause();
      }
      const { graceful } = await vmm.stop();
      assert.equal(graceful, !paused);
      const paths = fake.requests.map(({ path }) => path.split("/").at(-1));
      assert.equal(paths.includes("vm.power-button"), false);
      await end();
    });
  }
});

test("stop() refuses a time that is none", async () => {
  await inDirectory(async (directory) => {
    const { vmm, end } = await faked(directory);
    await assert.rejects(vmm.stop({ timeoutMs: 0 }), RangeError);
    await vmm.client.vmm.ping();
    await end();
  });
});
