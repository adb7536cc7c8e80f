/** A script that moves a VM is killed at each stage, and another goes on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import { connectVmm, spawnVmm } from "../../src/process/mod.ts";
import {
  arrivedVm,
  migrateVm,
  sendVm,
  waitForEvent,
} from "../../src/workflows/mod.ts";
import { FakeClock } from "../../testing/mod.ts";
import type { Move } from "../programs/mover.ts";
import { fails, pair } from "../support/migration.ts";
import { type OwnerScript, startOwner } from "../support/owner_script.ts";
import { inDirectory, programs, smallVm } from "../support/vmms.ts";

/** Starts a script that moves the VM up to a step. */
function mover(move: Move, step: string): Promise<OwnerScript> {
  return startOwner("mover", [JSON.stringify(move), step]);
}

async function kill({ child }: OwnerScript): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

async function resultOf({ child }: OwnerScript): Promise<string> {
  const [chunk] = await once(child.stdout!, "data");
  return String(chunk).trim();
}

const STAGES = ["before the send", "in the middle", "after the arrival"];

for (const stage of STAGES) {
  test(`migrateVm() picks up a move whose script was killed ${stage}`, async () => {
    const clock = new FakeClock();
    await pair(async ({ directory, from, to }) => {
      const move = moveOf(directory, from.vmm.socketPath, to.vmm.socketPath);
      if (stage === "before the send") {
        const script = await mover(move, "receive");
        assert.equal(await resultOf(script), "listens");
        await kill(script);
      } else {
        const script = await mover(move, "migrate");
        await from.fake.event("migration-memory-iteration");
        if (stage === "after the arrival") {
          clock.advance(1000);
          await from.fake.exited;
        }
        await kill(script);
      }
      const source = await connectVmm(from.vmm.socketPath, move.from);
      const destination = await connectVmm(to.vmm.socketPath, move.to);
      const { url } = move;
      const stages: string[] = [];
      const migrating = migrateVm(source, destination, {
        url,
        onProgress({ stage }) {
          stages.push(stage);
          if (stage === "iteration") setImmediate(() => clock.advance(1000));
        },
      });
      const { state } = await migrating;
      assert.equal(state, "Running");
      if (stage !== "after the arrival") {
        assert.equal(stages[0], "started");
        assert.equal(stages.at(-1), "finished");
      }
      const count = (requests: typeof from.fake.requests, name: string) =>
        requests.filter(({ path }) => path.includes(name)).length;
      assert.equal(count(from.fake.requests, "send-migration"), 1);
      assert.equal(count(to.fake.requests, "receive-migration"), 1);
      // Once more, with nothing left of the source.
      await from.fake.close();
      assert.equal((await migrateVm(source, destination)).state, "Running");
    }, { source: { clock, guest: { migrationMs: 1000 } } });
  });
}

test("migrateVm() does not take another VM for the one that moved", () =>
  pair(async ({ from, to }) => {
    await from.fake.crash();
    await to.vmm.client.vm.create({ payload: { kernel: "/boot/vmlinux" } });
    await to.vmm.client.vm.boot();
    const gone = { name: "ConnectionError", code: "refused" };
    await assert.rejects(migrateVm(from.vmm, to.vmm), gone);
    assert.equal((await to.vmm.client.vm.info()).state, "Running");
  }));

test("migrateVm() refuses a destination that has received another VM", () =>
  pair(async ({ from, to }) => {
    await migrateVm(from.vmm, to.vmm);
    await inDirectory((other) =>
      pair(async ({ from }) => {
        await assert.rejects(migrateVm(from.vmm, to.vmm), {
          code: "invalid_request",
          field: "destination",
        });
        assert.equal((await from.vmm.client.vm.info()).state, "Running");
      }, { source: { socketPath: join(other, "from.sock") } })
    );
    assert.equal((await to.vmm.client.vm.info()).state, "Running");
  }));

test("migrateVm() rolls back a move of another script that fails", async () => {
  const clock = new FakeClock();
  await pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    const migrating = migrateVm(from.vmm, to.vmm, { url });
    await from.fake.event("migration-memory-iteration");
    const source = await connectVmm(from.vmm.socketPath, {
      eventsPath: join(directory, "from.events"),
    });
    const joined = Promise.withResolvers<void>();
    const second = migrateVm(source, to.vmm, {
      url,
      onProgress: ({ stage }) => stage === "iteration" && joined.resolve(),
    });
    await joined.promise;
    await to.fake.crash();
    await Promise.all([
      fails(migrating, "Running", "gone"),
      fails(second, "Running", "gone"),
    ]);
  }, { source: { clock, guest: { migrationMs: 1000 } } });
});

function moveOf(directory: string, from: string, to: string): Move {
  return {
    from: { socketPath: from, eventsPath: join(directory, "from.events") },
    to: { socketPath: to, eventsPath: join(directory, "to.events") },
    url: `unix:${directory}/socket`,
  };
}

for (const { name, command, test } of programs.slice(1)) {
  for (const stage of STAGES) {
    test(`migrateVm() picks up a move between two of ${name} ${stage}`, () =>
      inDirectory(async (directory) => {
        const config = smallVm(directory);
        const from = await spawnVmm({ command, config });
        const to = await spawnVmm({ command });
        const move: Move = {
          from: {
            socketPath: from.socketPath,
            eventsPath: join(from.directory, "events"),
          },
          to: {
            socketPath: to.socketPath,
            eventsPath: join(to.directory, "events"),
          },
          url: `unix:${directory}/socket`,
        };
        if (stage === "before the send") {
          const script = await mover(move, "receive");
          assert.equal(await resultOf(script), "listens");
          await kill(script);
        } else {
          const script = await mover(move, "migrate");
          if (stage === "in the middle") {
            await waitForEvent(from, { event: "pausing" }, { from: "start" });
          } else await from.exited;
          await kill(script);
        }
        const source = await connectVmm(from.socketPath, move.from);
        const destination = await connectVmm(to.socketPath, move.to);
        const info = await migrateVm(source, destination, {
          url: move.url,
          timeoutMs: 60_000,
        });
        assert.equal(info.state, "Running");
        assert.equal(await arrivedVm(destination), "Running");
        assert.equal((await from.exited).exitCode, 0);
        await to.kill();
      }));
  }

  test(`sendVm() says what became of a VM of ${name} whose side is killed`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory);
      const from = await spawnVmm({ command, config });
      // Nobody takes the VM, though the connection is there.
      const url = `unix:${directory}/nobody`;
      assert.match(
        await sendVm(from, { url, timeoutMs: 60_000 }),
        /^stayed$/,
      );
      assert.equal((await from.client.vm.info()).state, "Running");
      await from.kill();
      assert.equal(await sendVm(from, { url, timeoutMs: 60_000 }), "gone");
    }));
}
