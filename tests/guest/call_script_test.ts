/** The functions of a guest's script: their mistakes are reported. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dialVsock } from "../../src/guest/mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { callScript } from "../../testing/guest/call_script.ts";
import { fakeProgram, FakeVmm } from "../../testing/mod.ts";
import { inDirectory } from "../support/vmms.ts";
import { send } from "./support.ts";

const advice = "do it otherwise";

test("a function of the script may return nothing, or text where text is used", async () => {
  for (const result of [undefined, null, Promise.resolve()]) {
    await callScript("guest.serial", () => result, { advice });
  }
  const text = async () => await Promise.resolve("text");
  const options = { mayBeText: true, advice };
  assert.equal(await callScript("guest.serial", text, options), "text");
});

test("each mistake of a function names the function and the cause", async () => {
  const cases: [() => unknown, RegExp][] = [
    [() => "hello", /returned a value of type string; do it otherwise$/],
    [() => Promise.resolve(1), /returned a value of type number; do it/],
    [() => new Uint8Array(1), /returned a value of type Uint8Array; do it/],
    [
      () => assert.fail("mine"),
      /^guest\.vsock\[7\] of the fake VMM failed: mine$/,
    ],
    [() => Promise.reject("text"), /failed: text$/],
  ];
  for (const [call, message] of cases) {
    const calling = callScript("guest.vsock[7]", call, { advice });
    await assert.rejects(calling, { message }, String(call));
  }
});

test("a mistake in the script ends the stand-in program with its message", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "guest.mjs");
    writeFileSync(path, 'export default { vsock: { 7: () => "hello" } };');
    const socket = join(directory, "vsock");
    const vmm = await spawnVmm({
      ...fakeProgram({ files: "any", guest: new URL(`file://${path}`) }),
      config: {
        payload: { kernel: "/boot/vmlinux" },
        vsock: { cid: 3, socket },
      },
    });
    const connection = await dialVsock(vmm, 7);
    const { exitCode, stderr } = await vmm.exited;
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /guest\.vsock\[7\] .* returned a value of type string/,
    );
    connection.close();
  }));

test("a host that closes its connection is no mistake of the script", () =>
  inDirectory(async (directory) => {
    const socket = join(directory, "vsock");
    const { promise: failing, resolve } = Promise.withResolvers<unknown>();
    await using _fake = await FakeVmm.start({
      files: "any",
      guest: {
        vsock: {
          async 7({ writable }) {
            const chunk = "x".repeat(1 << 20);
            try {
              for (;;) await send(writable, chunk);
            } catch (error) {
              resolve(error);
              throw error;
            }
          },
        },
      },
      boot: {
        payload: { kernel: "/boot/vmlinux" },
        vsock: { cid: 3, socket },
      },
    });
    const connection = await dialVsock(socket, 7);
    await connection.readable.getReader().read();
    connection.close();
    // An unhandled rejection would fail this test.
    assert.match(String(await failing), /the host has closed/);
    await new Promise((resolve) => setImmediate(resolve));
  }));
