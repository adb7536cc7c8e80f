/** The start of a VMM that goes wrong, and what it is given. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { VmmExitedError } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { inDirectory, isRunning } from "../support/vmms.ts";

const FAKE = fakeCommand();

test("spawnVmm() ends a VMM that does not answer in time", async () => {
  await inDirectory(async (directory) => {
    const place = join(directory, "vmm");
    await assert.rejects(
      spawnVmm({
        command: ["sh", "-c", "echo asleep >&2; sleep 60"],
        directory: place,
        timeoutMs: 300,
      }),
      {
        name: "VmmExitedError",
        signal: "SIGKILL",
        stderr: "asleep\n",
        message: /did not get ready within 300 ms: asleep/,
      },
    );
    assert.equal(existsSync(place), false);
  });
});

test("spawnVmm() gives up with the signal's reason, and leaves nothing", async () => {
  await inDirectory(async (directory) => {
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    const place = join(directory, "vmm");
    const command = ["sh", "-c", `echo $$ > ${directory}/pid; sleep 60`];
    await assert.rejects(
      spawnVmm({ command, directory: place, signal: aborted }),
      (error) => error === reason,
    );
    assert.deepEqual(readdirSync(directory), []);

    const controller = new AbortController();
    const { signal } = controller;
    const starting = spawnVmm({ command, directory: place, signal });
    while (!readText(join(directory, "pid"))) await turn();
    controller.abort(reason);
    await assert.rejects(starting, (error) => error === reason);
    assert.equal(isRunning(Number(readText(join(directory, "pid")))), false);
    assert.deepEqual(readdirSync(directory), ["pid"]);
  });
});

test("spawnVmm() hands descriptors, flags and variables on", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "text");
    writeFileSync(path, "inherited");
    const script = 'cat <&3 >&2; echo " $WORD $*" >&2; exit 7';
    await assert.rejects(
      spawnVmm({
        command: ["sh", "-c", script, "sh"],
        fds: [openSync(path, "r")],
        env: { WORD: "word" },
        args: ["--more"],
        logFile: "/log",
        seccomp: "log",
      }),
      (error) => {
        assert.ok(error instanceof VmmExitedError);
        assert.equal(error.exitCode, 7);
        assert.match(
          error.stderr,
          /^inherited word --api-socket path=\S+\/api.sock --event-monitor path=\S+\/events --log-file \/log --seccomp log --more\n$/,
        );
        return true;
      },
    );
  });
});

test("spawnVmm() keeps only the end of stderr", async () => {
  const script =
    "i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1";
  await assert.rejects(
    spawnVmm({ command: ["sh", "-c", script] }),
    (error) => {
      assert.ok(error instanceof VmmExitedError);
      assert.ok(error.stderr.length <= 8192);
      assert.ok(error.stderr.endsWith("line 2999\n"));
      return true;
    },
  );
});

test("spawnVmm() puts files of its own where a link lies", async () => {
  await inDirectory(async (directory) => {
    const victim = join(directory, "victim");
    writeFileSync(victim, "mine");
    const place = join(directory, "vmm");
    mkdirSync(place);
    for (const name of ["events", "stderr", "api.sock", "api.sock.lock"]) {
      symlinkSync(victim, join(place, name));
    }
    const vmm = await spawnVmm({ command: FAKE, directory: place });
    await vmm.kill();
    assert.equal(readFileSync(victim, "utf8"), "mine");
    assert.deepEqual(readdirSync(place), []);
  });
});

test("spawnVmm() makes a private directory whatever the umask", async () => {
  await inDirectory(async (directory) => {
    const before = process.umask(0o777);
    let made: Promise<{ kill(): Promise<unknown> }>;
    const place = join(directory, "vmm");
    try {
      made = spawnVmm({ command: FAKE, directory: place });
      while (!existsSync(place)) await turn();
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(place).mode & 0o777, 0o700);
    await (await made).kill();
  });
});

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
