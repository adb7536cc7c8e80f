import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { schedule, unschedule } from "../../src/wait/deadline_timer.ts";
import { reply, serve } from "../support/server.ts";

/** Keeps the script alive, which a scheduled callback does not do on every runtime. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

test("schedule() calls back in the order of the times, and nothing unscheduled", async () => {
  const called: number[] = [];
  const due: [due: number, ms: number][] = [];
  await awake(
    new Promise<void>((resolve) => {
      for (const ms of [30, 5, 20, 10, 1]) {
        const scheduled = schedule(ms, () => {
          called.push(ms);
          if (called.length === 5) resolve();
        });
        due.push([scheduled.due, ms]);
      }
      unschedule(schedule(2, () => called.push(2)));
      // Scheduled first, so a slow machine cannot swap the two.
      schedule(15, () => unschedule(late));
      const late = schedule(25, () => called.push(25));
    }),
  );
  // A slow machine may schedule a short time after a long one is due.
  due.sort(([a], [b]) => a - b);
  assert.deepEqual(called, due.map(([, ms]) => ms));
});

test("schedule() calls back what came due during another callback", async () => {
  const rung: string[] = [];
  await awake(
    new Promise<void>((resolve) => {
      schedule(1, () => {
        rung.push("first");
        const end = performance.now() + 10;
        while (performance.now() < end);
      });
      schedule(4, () => {
        rung.push("second");
        resolve();
      });
    }),
  );
  assert.deepEqual(rung, ["first", "second"]);
});

test("schedule() in a callback calls back, too", async () => {
  await awake(
    new Promise<void>((resolve) => schedule(1, () => schedule(1, resolve))),
  );
});

test("schedule() rings after a timer that ended while none was set", async () => {
  unschedule(schedule(1, () => assert.fail("it was cleared")));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await awake(new Promise<void>((resolve) => schedule(1, resolve)));
});

test("a call that has ended keeps no script alive until its deadline", async () => {
  const server = await serve((socket) => socket.write(reply(200, "{}")));
  const directory = mkdtempSync(join(tmpdir(), "chv-alarm-"));
  const script = join(directory, "script.mjs");
  const entry = new URL("../../mod.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { createClient } from ${JSON.stringify(entry)};
     const { vmm } = createClient(${JSON.stringify(server.path)});
     await vmm.ping({ timeoutMs: 3_600_000 });
     await vmm.ping({ timeoutMs: 1_800_000 });`,
  );
  const args = "Deno" in globalThis
    ? ["run", "-A", "--no-check", script]
    : [script];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  try {
    const [code] = await once(child, "close");
    assert.equal(code, 0);
  } finally {
    child.kill();
    await server.close();
    rmSync(directory, { recursive: true });
  }
});
