/** The runner of the kill tests finds what a script leaves. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runKills } from "../../tools/kill/run.ts";
import { processesOf } from "../../tools/kill/support/leftovers.ts";
import type { KillScenario } from "../../tools/kill/support/scenario.ts";
import { inDirectory } from "../support/vmms.ts";

/** It leaves a process, whenever it ends. */
const SCRIPT = `
import { spawn } from "node:child_process";
import process from "node:process";
const args = ["-c", "sleep 30; :", "sh", process.argv[2]];
spawn("sh", args, { stdio: "ignore", detached: true }).unref();
console.log("begin");
setTimeout(() => console.log("done"), 100);
`;

async function reports(
  check: KillScenario["check"],
): Promise<{ failures: number; lines: string[] }> {
  const lines: string[] = [];
  const failures = await inDirectory(async (directory) => {
    const path = join(directory, "script.mjs");
    writeFileSync(path, SCRIPT);
    const scenario = { name: "sleep", script: pathToFileURL(path), check };
    const print = (line: string): void => void lines.push(line);
    const options = { rounds: 2, seed: 1, seconds: Infinity, print };
    return await runKills([scenario], options);
  });
  return { failures, lines };
}

test("the kill test passes if the next run ends what the script left", async () => {
  const pids: number[] = [];
  const { failures, lines } = await reports((directory) => {
    for (const line of processesOf(directory)) {
      const pid = Number(/\d+/.exec(line)![0]);
      pids.push(pid);
      process.kill(pid, "SIGKILL");
    }
    return Promise.resolve();
  });
  assert.equal(failures, 0, lines.join("\n"));
  assert.match(
    lines.join("\n"),
    /^kill sleep: 2 rounds within \d+ ms, 0 failed$/,
  );
  assert.ok(pids.length >= 1);
});

test("the kill test fails if a process or a socket is left", async () => {
  let workDirectory = "";
  const { failures, lines } = await reports((directory) => {
    workDirectory = directory;
    return Promise.resolve();
  });
  assert.equal(failures, 1);
  assert.match(
    lines.join("\n"),
    /sleep failed without a kill: .*process \d+: \S*sh -c/s,
  );
  // The runner ends the process itself, and removes the directory.
  while (processesOf(workDirectory).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.throws(() => readdirSync(workDirectory), { code: "ENOENT" });
});
