/** Several VMMs that are owned as one. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { errorFrom } from "../../mod.ts";
import {
  type GroupVmmOptions,
  spawnVmm,
  spawnVmms,
  VmmGroupError,
} from "../../src/process/mod.ts";
import { fakeProgram } from "../../testing/mod.ts";
import { createCountedSignal } from "../support/counted_signal.ts";
import { VM } from "../support/running_vm.ts";
import { inDirectory, inTemporary, isRunning } from "../support/vmms.ts";

const program = fakeProgram({ files: "any", guest: { powersOffAfterMs: 1 } });

/** Options of as many VMMs. */
function several(count: number): GroupVmmOptions[] {
  return Array.from({ length: count }, () => ({ ...program, config: VM }));
}

test("spawnVmms() starts all, stops all, and reports each end", () =>
  inDirectory(async (directory) => {
    const left = await inTemporary(directory, async () => {
      const [first, second, third] = several(3);
      // The name of a program is not the name of a VMM.
      const chosen = { ...second!, name: "the fake" };
      const group = await spawnVmms({ web: first!, db: chosen, job: third! });
      const [one, db, three] = group.vmms;
      assert.deepEqual(group.vmms.map(({ name }) => name), [
        "web",
        "db",
        "job",
      ]);
      assert.equal((await db!.client.vm.info()).state, "Running");
      assert.deepEqual(
        group.outcomes().map(({ state, pid }) => [state, pid]),
        group.vmms.map(({ pid }) => ["running", pid]),
      );
      process.kill(one!.pid, "SIGKILL");
      await one!.exited;
      await three!.client.vmm.shutdown();
      await three!.exited;
      const outcomes = await group.stop();
      const brief = outcomes.map((
        { name, cause, by, step, exitCode, signal },
      ) => [name, cause, by, step, exitCode, signal].join(" "));
      assert.deepEqual(brief, [
        "web killed other   SIGKILL",
        "db powered-off script power-button 0 ",
        "job stopped script vmm.shutdown 0 ",
      ]);
      assert.deepEqual(await group.ended, outcomes);
      assert.deepEqual(JSON.parse(JSON.stringify(outcomes)).length, 3);
      // Once more, and nothing happens.
      await group[Symbol.asyncDispose]();
      assert.ok(group.vmms.every(({ pid }) => !isRunning(pid)));
    });
    assert.deepEqual(left, []);
  }));

test("spawnVmms() starts all or none, and names the VMM that did not start", () =>
  inDirectory(async (directory) => {
    const left = await inTemporary(directory, async () => {
      const [good, other] = several(2);
      const config = { payload: { kernel: "/no/such/kernel" } };
      const bad = { ...fakeProgram(), config };
      const error = await rejection(spawnVmms([good!, bad, other!]));
      assert.ok(error instanceof VmmGroupError, String(error));
      const { vmm, index, code, outcomes, message } = error;
      assert.deepEqual([vmm, index, code], ["vm1", 1, "missing_file"]);
      assert.match(
        message,
        /^VMM "vm1" \(1\) did not start: vm\.boot on .*; the other 2 VMMs were ended$/,
      );
      assert.match(outcomes[1]!.error!, /^vm\.boot on /);
      assert.equal(outcomes[1]!.state, "failed");
      for (const { state, cause, pid } of [outcomes[0]!, outcomes[2]!]) {
        // The other VMMs were up, or were not yet.
        assert.ok(state === "cancelled" || cause === "killed", `${state}`);
        assert.ok(pid === undefined || !isRunning(pid));
      }
      const again = errorFrom(JSON.parse(JSON.stringify(error)));
      assert.ok(again instanceof VmmGroupError);
      assert.deepEqual(again.outcomes, JSON.parse(JSON.stringify(outcomes)));

      const detached = { ...good!, directory, detach: true };
      const refused = await rejection(spawnVmms([good!, detached]));
      assert.match(
        String(refused),
        /detach: VMM "vm1" would outlive its group/,
      );

      const missing = { command: "/no/such/program" };
      const failed = await rejection(spawnVmms([good!, missing]));
      assert.equal((failed as VmmGroupError).code, "invalid_request");
      assert.deepEqual((failed as VmmGroupError).index, 1);
    });
    assert.deepEqual(left, []);
  }));

test("a signal ends the VMMs of a group that starts, and of one that runs", () =>
  inDirectory(async (directory) => {
    const reason = new Error("enough");
    const isReason = (error: unknown): boolean => error === reason;
    const left = await inTemporary(directory, async () => {
      const early = createCountedSignal();
      const { signal } = early;
      const starting = spawnVmms(several(2), { signal });
      early.abort(reason);
      await assert.rejects(starting, isReason);
      await assert.rejects(spawnVmms(several(2), { signal }), isReason);
      assert.equal(early.listeners, 0);

      const later = createCountedSignal();
      const group = await spawnVmms(several(2), { signal: later.signal });
      later.abort(reason);
      const outcomes = await group.ended;
      assert.deepEqual(
        outcomes.map(({ cause, by }) => [cause, by]),
        [["powered-off", "script"], ["powered-off", "script"]],
      );
      assert.equal(later.listeners, 0);
      await group.stop();
    });
    assert.deepEqual(left, []);
  }));

test("the signal of spawnVmm() stops a VMM that runs", () =>
  inDirectory(async (directory) => {
    const counted = createCountedSignal();
    const { signal } = counted;
    const place = join(directory, "vmm");
    mkdirSync(place);
    const vmm = await spawnVmm({
      ...program,
      config: VM,
      directory: place,
      signal,
    });
    // A handle that is lost, such as by an abort of a wait, ends all the same.
    counted.abort(new Error("enough"));
    const { cause, by } = await vmm.ended;
    assert.deepEqual([cause, by], ["powered-off", "script"]);
    await vmm.stop();
    assert.deepEqual(readdirSync(place), []);
    assert.equal(counted.listeners, 0);
  }));

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(() => undefined, (error) => error);
}
