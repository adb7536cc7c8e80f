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

/** Keeps the script alive, which an alarm does not do on every runtime. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

test("setAlarm() rings each at its time, in order, and no cleared one", async () => {
  const rung: number[] = [];
  await awake(
    new Promise<void>((resolve) => {
      for (const ms of [30, 5, 20, 10, 1]) {
        schedule(ms, () => {
          rung.push(ms);
          if (ms === 30) resolve();
        });
      }
      unschedule(schedule(2, () => rung.push(2)));
      const late = schedule(25, () => rung.push(25));
      schedule(15, () => unschedule(late));
    }),
  );
  assert.deepEqual(rung, [1, 5, 10, 20, 30]);
});

test("setAlarm() rings what came due while another rang", async () => {
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

test("setAlarm() set by one that rings, rings too", async () => {
  await awake(
    new Promise<void>((resolve) => schedule(1, () => schedule(1, resolve))),
  );
});

test("setAlarm() rings after a timer that ended while none was set", async () => {
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
