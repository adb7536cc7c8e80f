/** VMMs that outlive their scripts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { connectVmm, spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { programCommand, startOwner } from "../support/owner_script.ts";
import { inDirectory, isRunning, programs, smallVm } from "../support/vmms.ts";

const command = fakeCommand();

/** Runs tests/programs/keeper.ts until it ends; `signal` goes to its group. */
async function keep(
  directory: string,
  mode: string,
  { signal, program = command, onLine = () => {} }: {
    signal?: NodeJS.Signals;
    program?: string | readonly string[];
    onLine?: () => void;
  } = {},
): Promise<{ pid: number; output: string; end: number | NodeJS.Signals }> {
  const [runtime, ...args] = programCommand("keeper");
  const options = JSON.stringify({ command: program });
  const script = spawn(runtime, [...args, directory, mode, options], {
    // A process group of its own, as the one of a terminal.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(script, "close");
  let output = "";
  for (const stream of [script.stdout, script.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.includes("\n")) onLine();
      if (signal && output.includes("\n")) process.kill(-script.pid!, signal);
    });
  }
  const [code, by] = await ended as [number | null, NodeJS.Signals | null];
  return { pid: parseInt(output), output, end: code ?? by! };
}

for (const { name, command, test } of programs) {
  test(`${name} that is started with detach outlives each end of its script`, () =>
    inDirectory(async (parent) => {
      const directory = join(parent, "vmm");
      const program = command;
      const first = await keep(directory, "end", { program });
      assert.equal(first.end, 0, first.output);
      const ends = [
        await keep(directory, "exit", { program }),
        await keep(directory, "throw", { program }),
        ...await Promise.all(
          (["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const).map((signal) =>
            keep(directory, "wait", { program, signal })
          ),
        ),
      ];
      assert.deepEqual(
        ends.map(({ pid, end }) => ({ pid, end })),
        [3, 1, "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"]
          .map((end) => ({ pid: first.pid, end })),
      );
      const vmm = await spawnVmm({ command, directory, detach: true });
      assert.equal(vmm.pid, first.pid);
      assert.equal(
        vmm.stderr(),
        readFileSync(join(directory, "stderr"), "utf8"),
      );
      const { promise: started, resolve: onLine } = Promise.withResolvers<
        void
      >();
      const waiting = keep(directory, "await", { program, onLine });
      await started;
      const { step } = await vmm.stop();
      assert.equal(step, "vmm.shutdown");
      assert.match((await waiting).output, /^\d+\nexited null\n$/);
      assert.deepEqual(readdirSync(parent), []);
    }));

  test(`spawnVmm() completes a VM that a script of ${name} did not boot`, () =>
    inDirectory(async (parent) => {
      const directory = join(parent, "vmm");
      const socket = join(parent, "vsock");
      const config = smallVm(parent, { vsock: { cid: 3, socket } });
      const detached = { command, directory, detach: true };
      const first = await spawnVmm(detached);
      await first.client.vm.create({
        ...config,
        cpus: { ...config.cpus!, max_vcpus: 4 },
      });
      // Its script dies here.
      const vmm = await spawnVmm({ ...detached, config });
      const info = await vmm.client.vm.info();
      assert.equal(info.state, "Running");
      assert.equal(info.config.cpus?.max_vcpus, 2);
      assert.ok(existsSync(socket));
      // A VM that runs stays as it is.
      const other = { ...config, memory: { size: 128 << 20 } };
      const same = await spawnVmm({ ...detached, config: other });
      assert.equal(same.pid, vmm.pid);
      assert.equal((await same.client.vm.info()).config.memory?.size, 64 << 20);
      // The next run replaces a VMM that died, and its sockets.
      process.kill(vmm.pid, "SIGKILL");
      await Promise.all([first.exited, vmm.exited, same.exited]);
      assert.ok(existsSync(socket));
      const next = await spawnVmm({ ...detached, config });
      assert.notEqual(next.pid, vmm.pid);
      assert.equal((await next.client.vm.info()).state, "Running");
      // A handle of the VMM before touches nothing of the new one.
      await vmm.kill();
      assert.equal((await vmm.stop()).step, "already");
      await next.client.vmm.ping();
      assert.ok(existsSync(socket));
      const exit = await next.kill();
      assert.equal(exit.signal ?? "SIGKILL", "SIGKILL");
      assert.deepEqual(readdirSync(parent), ["guest.elf"]);
    }));
}

test("several calls at once get one VMM", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const scripts = [keep(directory, "end"), keep(directory, "end")];
    const vmms = await Promise.all(
      Array.from(
        { length: 8 },
        () => spawnVmm({ command, directory, detach: true }),
      ),
    );
    const pids = [...vmms, ...await Promise.all(scripts)].map(({ pid }) => pid);
    assert.equal(new Set(pids).size, 1, `${pids}`);
    const ends = await Promise.all(vmms.map((vmm) => vmm.kill()));
    assert.equal(ends.length, 8);
    assert.deepEqual(readdirSync(parent), []);
  }));

test("a VMM whose script died before it was recorded is found", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const vmm = await spawnVmm({ command, directory, detach: true });
    const path = join(directory, "vmm.json");
    const { pid: _, startTime: __, bootId: ___, ...rest } = JSON.parse(
      readFileSync(path, "utf8"),
    );
    for (
      const text of [JSON.stringify(rest), "", '{ "pid": 12', '{"pid":-1}']
    ) {
      writeFileSync(path, text);
      const next = await spawnVmm({ command, directory, detach: true });
      assert.equal(next.pid, vmm.pid, text);
      assert.equal((await connectVmm(directory)).pid, vmm.pid, text);
    }
    writeFileSync(path, JSON.stringify({ ...rest, pid: vmm.pid }));
    const unread = await connectVmm(directory);
    await unread.kill!();
    await spawnVmm({ command, directory, detach: true }).then((vmm) =>
      vmm.kill()
    );
    assert.deepEqual(readdirSync(parent), []);
  }));

test("a directory is recorded as soon as it is created, and removed at the end", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const starting = spawnVmm({ command, directory, detach: true });
    const path = join(directory, "vmm.json");
    const text = readFileSync(path, "utf8");
    await (await starting).kill();
    assert.ok(!existsSync(directory));
    // As a script leaves it that was ended by SIGKILL at that moment.
    mkdirSync(directory);
    writeFileSync(path, text);
    await (await spawnVmm({ command, directory, detach: true })).kill();
    assert.ok(!existsSync(directory));
  }));

test("no other process is signalled that has the pid of a record", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const other = spawn("sleep", ["60"]);
    try {
      const vmm = await spawnVmm({ command, directory, detach: true });
      const path = join(directory, "vmm.json");
      const record = JSON.parse(readFileSync(path, "utf8"));
      // Ticks of 10 ms: the other process may have started in the same one.
      const startTime = record.startTime - 100;
      const foreign = { ...record, pid: other.pid, startTime };
      process.kill(vmm.pid, "SIGKILL");
      await vmm.exited;
      const records = [
        foreign,
        { ...foreign, startTime: startTime - 1 },
        { ...foreign, bootId: "0" },
        { ...foreign, startTime: undefined },
      ];
      for (const text of records) {
        writeFileSync(path, JSON.stringify(text));
        const { pid, kill, exited } = await connectVmm(directory);
        assert.deepEqual({ pid, kill, exited }, {
          pid: undefined,
          kill: undefined,
          exited: undefined,
        });
      }
      writeFileSync(path, JSON.stringify(foreign));
      const next = await spawnVmm({ command, directory, detach: true });
      assert.notEqual(next.pid, other.pid);
      await next.kill();
      assert.ok(isRunning(other.pid!));
      assert.equal(other.exitCode, null);
    } finally {
      other.kill("SIGKILL");
    }
  }));

test("spawnVmm({ detach }) that fails leaves nothing", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const detached = { command, directory, detach: true } as const;
    const config = { payload: { kernel: join(parent, "missing") } };
    await assert.rejects(spawnVmm({ ...detached, config }), {
      code: "missing_file",
    });
    await assert.rejects(spawnVmm({ ...detached, command: ["false"] }), {
      code: "vmm_exited",
      exitCode: 1,
    });
    await assert.rejects(
      spawnVmm({ ...detached, command: "missing/program" }),
      {
        field: "command",
      },
    );
    assert.deepEqual(readdirSync(parent), []);
  }));

test("the reference of a handle goes through JSON", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const vmm = await spawnVmm({ command, directory });
    const reference = JSON.parse(JSON.stringify(vmm));
    assert.deepEqual(reference, {
      socketPath: vmm.socketPath,
      eventsPath: join(directory, "events"),
      directory,
    });
    const connected = await connectVmm(reference);
    assert.equal(connected.pid, vmm.pid);
    assert.deepEqual(JSON.parse(JSON.stringify(connected)), reference);
    for await (const { event } of connected.events!()) {
      assert.equal(event, "starting");
      break;
    }
    assert.deepEqual(await connected.kill!(), {
      exitCode: null,
      signal: null,
      stderr: "",
    });
    assert.equal((await vmm.kill()).signal, "SIGKILL");
    const plain = await connectVmm({ socketPath: vmm.socketPath });
    assert.deepEqual({ ...plain.toJSON() }, {
      socketPath: vmm.socketPath,
      eventsPath: undefined,
      directory: undefined,
    });
  }));

test("a worker starts a VMM that outlives its script", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const env = { DETACHED_DIRECTORY: directory };
    const { firstLine, ended } = await startOwner("worker_owner", [], env);
    assert.equal((await ended())[0], 0);
    const vmm = await spawnVmm({ command, directory, detach: true });
    assert.equal(`${vmm.pid}`, firstLine);
    await vmm.kill();
    assert.deepEqual(readdirSync(parent), []);
  }));
