/** A script that owns a VMM and ends at any moment leaves nothing behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { connectVmm, spawnVmm } from "../../src/process/mod.ts";
import { withRandom } from "../support/random.ts";
import { inDirectory, isRunning, programs } from "../support/vmms.ts";

const CYCLE = fileURLToPath(new URL("../programs/cycle.ts", import.meta.url));
const OWNER = fileURLToPath(new URL("../programs/owner.ts", import.meta.url));

/**
 * The number of moments that are tried for each way to end, on each runtime.
 * `deno task test:kill` tries more.
 */
const MOMENTS = 4;
/** Longer than the start of a script, a cycle and a half. */
const SPAN_MS = 700;

/** The processes whose arguments name the directory. */
function processesOf(directory: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
      } catch {
        return false;
      }
    });
}

function run(directory: string, ...args: string[]) {
  const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  return spawn(process.execPath, [...runtime, CYCLE, ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const MODES = ["SIGINT", "SIGTERM", "throw", "reject", "exit", "halt"] as const;

for (const mode of MODES) {
  test(`a script that owns a VMM and ends by ${mode} leaves nothing`, () =>
    withRandom(async (random) => {
      for (let moment = 0; moment < MOMENTS; moment++) {
        await endsCleanly(mode, Math.round(random() * SPAN_MS));
      }
    }));
}

async function endsCleanly(
  mode: (typeof MODES)[number],
  ms: number,
): Promise<void> {
  await inDirectory(async (directory) => {
    const isSignal = mode.startsWith("SIG");
    const child = run(directory, isSignal ? "signal" : mode, `${ms}`);
    let stderr = "";
    child.stderr.on("data", (chunk) => stderr += chunk);
    const ended = once(child, "close");
    await once(child.stdout, "data");
    if (isSignal) {
      await delay(ms);
      process.kill(child.pid!, mode as NodeJS.Signals);
    }
    const [code, signal] = await ended;
    const context = `after ${ms} ms: ${stderr}`;
    if (isSignal) assert.equal(signal, mode, context);
    else {
      const expected = mode === "exit" || mode === "halt" ? 3 : 1;
      assert.equal(code, expected, context);
    }
    assert.deepEqual(readdirSync(directory), [], context);
    // A killed process may take a moment to end.
    while (processesOf(directory).length > 0) await delay(5);
  });
}

test("a script ended by SIGKILL leaves a VMM to connect to", async () => {
  await inDirectory(async (directory) => {
    const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
    const child = spawn(process.execPath, [...runtime, OWNER, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close");
    const [text] = await once(child.stdout, "data");
    const pid = Number(`${text}`);
    process.kill(child.pid!, "SIGKILL");
    await ended;
    assert.ok(isRunning(pid));
    const { command } = programs[0]!;
    await assert.rejects(spawnVmm({ command, directory }), {
      message: new RegExp(`the VMM with pid ${pid}; use connectVmm`),
    });
    const vmm = await connectVmm(`${directory}/api.sock`);
    process.kill(pid, "SIGKILL");
    while (isRunning(pid)) await delay(5);
    await assert.rejects(vmm.client.vmm.ping(), { code: "refused" });
    const next = await spawnVmm({ command, directory });
    await next.client.vmm.ping();
    await next.stop();
    assert.deepEqual(readdirSync(directory), []);
  });
});
