/** Consoles on a pseudoterminal, in mode `Pty`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../mod.ts";
import { openConsole } from "../../src/guest/mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeProgram, FakeVmm } from "../../testing/mod.ts";
import { hasScript, NO_SCRIPT } from "../support/installed.ts";
import { testIf } from "../support/skip.ts";
import { hosts, PTY_WAITS } from "./support.ts";

const timeoutMs = 20_000;
const wait = { timeoutMs };
const PROMPT = "guest login: ";
const PTY = { serial: { mode: "Pty" } } as const;

for (const host of hosts) {
  const isFake = host.name === "the fake";
  const testPty = isFake ? testIf(hasScript, NO_SCRIPT) : host.test;
  const testOutput = isFake ? testPty : host.testSince(50, PTY_WAITS);

  testOutput(
    `${host.name}: a console on a pty runs commands, to the VMM's end`,
    () =>
      host.with(async ({ vmm }) => {
        const { config } = await vmm.client.vm.info();
        const path = config.serial!.file!;
        assert.match(path, /^\/dev\/pts\/\d+$/);
        await using console = await openConsole({ pty: path });
        await vmm.client.vm.boot();
        await console.waitFor(PROMPT, wait);
        const options = { prompt: PROMPT, ...wait };
        assert.equal(await console.run("echo one", options), "one");
        const output = await console.run("flood 300", options);
        assert.equal(output.split("\n").length, 300);
        await vmm.kill();
        await console.closed;
      }, PTY),
  );

  testOutput(
    `${host.name}: a console on a pty follows a reboot to the next pty`,
    () =>
      host.with(async ({ vmm }) => {
        await using console = await openConsole(vmm);
        await vmm.client.vm.boot();
        await console.waitFor(PROMPT, wait);
        await vmm.client.vm.reboot();
        await console.waitFor(PROMPT, wait);
        await console.write("echo again\n");
        await console.waitFor("\nagain\r\n", wait);
      }, PTY),
  );

  // vm.delete frees nothing of a VM that was not booted, on the real VMM too.
  testPty(
    `${host.name}: a pty of a VM that never booted closes at the next vm.create`,
    () =>
      host.with(async ({ vmm: { client: { vm } }, config }) => {
        const pty = (await vm.info()).config.serial!.file!;
        await using console = await openConsole({ pty });
        await vm.delete();
        await console.write("text\n");
        await vm.create({ ...config, serial: { mode: "Off" } });
        await console.closed;
      }, PTY),
  );
}

testIf(hasScript, NO_SCRIPT)(
  "the fake's console is the guest's terminal where the serial port is off",
  async () => {
    await using fake = await FakeVmm.start({
      files: "any",
      guest: { serialOutput: "hello\n", serial: (line) => `got ${line}\n` },
    });
    const client = createClient(fake.socketPath);
    await client.vm.create({
      payload: { kernel: "/boot/vmlinux" },
      serial: { mode: "Off" },
      console: { mode: "Pty" },
    });
    const console = await openConsole({ client });
    await client.vm.boot();
    await console.waitFor("hello\r\n", wait);
    await console.write("text\n");
    await console.waitFor("got text\r\n", wait);
    await console.close();
    const { config } = await client.vm.info();
    await using last = await openConsole({ pty: config.console!.file! });
    await client.vm.shutdown();
    await last.closed;
    client.close();
  },
);

test("the fake refuses a pty where script is missing, and goes on", async () => {
  const program = fakeProgram({ files: "any" });
  const env = { ...program.env, PATH: "/nowhere" };
  const vmm = await spawnVmm({ ...program, env });
  try {
    const { vm } = vmm.client;
    const config = { payload: { kernel: "/boot/vmlinux" } };
    await assert.rejects(vm.create({ ...config, ...PTY }), {
      status: 500,
      message: /"script" of util-linux, which is not in PATH/,
    });
    await vm.delete();
    await vm.create(config);
  } finally {
    await vmm.kill();
  }
});
