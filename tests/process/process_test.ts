import assert from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { InvalidRequestError, VmmExitedError } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { inDirectory, isRunning, programs, smallVm } from "../support/vmms.ts";

const FAKE = fakeCommand();

for (const { name, command, test } of programs) {
  test(`spawnVmm() starts ${name} and stops it`, async () => {
    const vmm = await spawnVmm({ command });
    assert.equal((await vmm.client.vmm.ping()).pid, vmm.pid);
    assert.equal(statSync(vmm.directory).mode & 0o777, 0o700);
    assert.equal(vmm.socketPath, join(vmm.directory, "api.sock"));
    assert.deepEqual(await vmm.stop(), {
      step: "vmm.shutdown",
      graceful: true,
    });
    const { exitCode, signal } = await vmm.exited;
    assert.deepEqual({ exitCode, signal }, { exitCode: 0, signal: null });
    assert.equal(isRunning(vmm.pid), false);
    assert.equal(existsSync(vmm.directory), false);
  });

  test(`spawnVmm() boots a VM with ${name}`, async () => {
    await inDirectory(async (directory) => {
      const config = smallVm(directory);
      const vmm = await spawnVmm({ command, config });
      assert.equal((await vmm.client.vm.info()).state, "Running");
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { source, event } of vmm.events()) {
          seen.push(`${source} ${event}`);
        }
      })();
      // The guest does not know the power button.
      const { step, graceful } = await vmm.stop({ timeoutMs: 1500 });
      assert.deepEqual({ step, graceful }, {
        step: "vmm.shutdown",
        graceful: false,
      });
      await reading;
      assert.deepEqual(seen.slice(0, 3), [
        "vmm starting",
        "vm booting",
        "vm booted",
      ]);
      // A process that ends does not wait for the thread of its monitor.
      const isLastLost = name === "a real VMM" && seen.at(-1) === "vm deleted";
      if (!isLastLost) assert.equal(seen.at(-1), "vmm shutdown");
    });
  });

  test(`spawnVmm() ends ${name} whose VM does not boot`, async () => {
    await inDirectory(async (directory) => {
      const config = { payload: { kernel: join(directory, "missing") } };
      const place = join(directory, "vmm");
      await assert.rejects(
        spawnVmm({ command, config, directory: place }),
        { name: "ApiError", operation: "vm.boot" },
      );
      assert.equal(existsSync(place), false);
    });
  });

  test(`spawnVmm() says how ${name} ended before it answered`, async () => {
    await assert.rejects(
      spawnVmm({ command, args: ["--no-such-flag"] }),
      (error) => {
        assert.ok(error instanceof VmmExitedError);
        assert.equal(error.exitCode, 2);
        assert.match(error.stderr, /--no-such-flag/);
        assert.match(error.message, /exited with code 2: .*--no-such-flag/s);
        return true;
      },
    );
  });

  test(`spawnVmm() refuses a directory in which ${name} lives`, async () => {
    await inDirectory(async (directory) => {
      const vmm = await spawnVmm({ command, directory });
      const own = spawnVmm({ command, directory });
      await assert.rejects(own, { code: "invalid_request" });
      // What another script started looks like this one.
      const alias = `${directory}-alias`;
      symlinkSync(directory, alias);
      await assert.rejects(spawnVmm({ command, directory: alias }), (error) => {
        assert.ok(error instanceof InvalidRequestError);
        assert.equal(error.field, "directory");
        assert.ok(error.message.includes(`pid ${vmm.pid};`), error.message);
        assert.match(error.message, /connectVmm/);
        return true;
      });
      await vmm.client.vmm.ping();
      await vmm.stop();
      assert.deepEqual(readdirSync(directory), []);
    });
  });

  test(`spawnVmm() replaces what a dead VMM left, with ${name}`, async () => {
    await inDirectory(async (directory) => {
      const first = await spawnVmm({ command, directory });
      process.kill(first.pid, "SIGKILL");
      const { exitCode, signal } = await first.exited;
      assert.deepEqual({ exitCode, signal }, {
        exitCode: null,
        signal: "SIGKILL",
      });
      assert.ok(existsSync(first.socketPath));
      assert.deepEqual(await first.stop(), { step: "already", graceful: true });
      const dead = createServer();
      await new Promise<void>((done) =>
        dead.listen(join(directory, "api.sock.old"), done)
      );
      writeFileSync(`${first.socketPath}.lock`, "");
      writeFileSync(join(directory, "mine"), "");
      const second = await spawnVmm({ command, directory });
      await second.client.vmm.ping();
      await second.kill();
      await new Promise((done) => dead.close(done));
      assert.deepEqual(readdirSync(directory), ["mine"]);
    });
  });
}

test("spawnVmm() says which program is missing", async () => {
  await assert.rejects(spawnVmm({ command: "no-such-program" }), {
    code: "invalid_request",
    field: "command",
    message: /"no-such-program" cannot be run: there is no such program/,
  });
  await assert.rejects(spawnVmm({ command: [] }), { field: "command" });
});

test("spawnVmm() takes the program of CLOUD_HYPERVISOR", async () => {
  const { CLOUD_HYPERVISOR: before } = process.env;
  process.env["CLOUD_HYPERVISOR"] = "/no/such/vmm";
  try {
    await assert.rejects(spawnVmm(), { message: /"\/no\/such\/vmm"/ });
    delete process.env["CLOUD_HYPERVISOR"];
    const { PATH } = process.env;
    process.env["PATH"] = "/nowhere";
    await assert.rejects(spawnVmm(), { message: /"cloud-hypervisor"/ });
    process.env["PATH"] = PATH;
  } finally {
    if (before !== undefined) process.env["CLOUD_HYPERVISOR"] = before;
  }
});

test("VmmProcess.exited tells of a guest that powers off", async () => {
  await inDirectory(async (directory) => {
    const config = smallVm(directory);
    const vmm = await spawnVmm({ command: FAKE, config });
    await vmm.client.vmm.shutdown();
    assert.equal((await vmm.exited).exitCode, 0);
    // Its events can still be read, until it is disposed of.
    const events = [];
    for await (const event of vmm.events()) events.push(event.event);
    assert.equal(events.at(-1), "shutdown");
    await vmm[Symbol.asyncDispose]();
    assert.equal(existsSync(vmm.directory), false);
  });
});
