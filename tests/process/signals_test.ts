/** The end of a VMM whose script ends by a signal or in a worker. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkSetId } from "../../src/process/parent_death.ts";
import { fakeProgram } from "../../testing/mod.ts";
import { startOwner } from "../support/owner_script.ts";
import { VM } from "../support/running_vm.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory, isRunning } from "../support/vmms.ts";

const onSetprivTest = testIf(
  ["/usr/bin", "/bin"].some((path) => readdirSync(path).includes("setpriv")),
  "the host has no setpriv",
);

test('onSignal "ignore" leaves the signal to the script', () =>
  inDirectory(async (directory) => {
    const options = JSON.stringify({ onSignal: "ignore" });
    const owner = await startOwner("owner", [directory, options]);
    process.kill(owner.child.pid!, "SIGTERM");
    const result = await owner.ended();
    assert.deepEqual(result, [0, null, "stopped by vmm.shutdown\n"]);
    assert.deepEqual(readdirSync(directory), []);
  }));

test('onSignal "stop" stops the guest gracefully, and ends the script', () =>
  inDirectory(async (directory) => {
    const { env } = fakeProgram({
      files: "any",
      guest: { powersOffAfterMs: 20 },
    });
    const options = { onSignal: "stop", env, config: VM };
    const place = join(directory, "vmm");
    const owner = await startOwner("owner", [place, JSON.stringify(options)]);
    const pid = Number(owner.firstLine);
    process.kill(owner.child.pid!, "SIGTERM");
    assert.deepEqual(await owner.ended(), [null, "SIGTERM", ""]);
    assert.equal(isRunning(pid), false);
    assert.deepEqual(readdirSync(directory), []);
  }));

test('a second signal kills a VMM that onSignal "stop" stops', () =>
  inDirectory(async (directory) => {
    // A guest that ignores the power button, and a long time to stop.
    const options = {
      onSignal: "stop",
      stopTimeoutMs: 600_000,
      env: { FAKE_VMM_FILES: "any" },
      config: VM,
    };
    const place = join(directory, "vmm");
    const owner = await startOwner("owner", [place, JSON.stringify(options)]);
    const pid = Number(owner.firstLine);
    process.kill(owner.child.pid!, "SIGINT");
    await delay(300);
    assert.ok(isRunning(pid));
    process.kill(owner.child.pid!, "SIGTERM");
    assert.deepEqual(await owner.ended(), [null, "SIGTERM", ""]);
    while (isRunning(pid)) await delay(5);
    assert.deepEqual(readdirSync(directory), []);
  }));

onSetprivTest(
  "parentDeathSignal ends the VMM when SIGKILL ends the script",
  () =>
    inDirectory(async (directory) => {
      const options = JSON.stringify({ parentDeathSignal: true });
      const owner = await startOwner("owner", [directory, options]);
      const pid = Number(owner.firstLine);
      assert.ok(isRunning(pid));
      process.kill(owner.child.pid!, "SIGKILL");
      await owner.ended();
      while (isRunning(pid)) await delay(5);
    }),
);

onSetprivTest(
  "a worker refuses to spawn a VMM without parentDeathSignal",
  () =>
    inDirectory(async (directory) => {
      const env = { TMPDIR: directory };
      const refused = await startOwner("worker_owner", [], env);
      await refused.ended();
      assert.match(
        refused.firstLine,
        /^parentDeathSignal: a VMM that is spawned in a worker outlives the script/,
      );
      const tied = await startOwner("worker_owner", [], {
        ...env,
        PARENT_DEATH_SIGNAL: "1",
      });
      await tied.ended();
      const pid = Number(tied.firstLine);
      assert.ok(pid > 0, tied.firstLine);
      while (isRunning(pid)) await delay(5);
    }),
);

test("parentDeathSignal refuses a set-id program", () =>
  inDirectory((directory) => {
    const program = join(directory, "set-id");
    copyFileSync("/bin/sleep", program);
    chmodSync(program, 0o4755);
    assert.throws(() => checkSetId(program), {
      code: "invalid_request",
      field: "parentDeathSignal",
      message: /is a set-id program, and the kernel drops the signal for it/,
    });
  }));
