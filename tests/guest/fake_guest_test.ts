/** The scripted guest of the fake, as its users write it. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../../mod.ts";
import { dialVsock, listenVsock, openConsole } from "../../src/guest/mod.ts";
import { fakeProgram, FakeVmm } from "../../testing/mod.ts";
import { inDirectory } from "../support/vmms.ts";
import { readLine, send, textOf } from "./support.ts";

test("a guest in the test's own process answers, and connects", () =>
  inDirectory(async (directory) => {
    const typed: string[] = [];
    const socket = join(directory, "vsock");
    const serial = join(directory, "serial");
    await using fake = await FakeVmm.start({
      files: "any",
      guest: {
        serialOutput: "login: ",
        serial(line) {
          typed.push(line);
          return `hello ${line}\n# `;
        },
        vsock: {
          7: async ({ readable, writable }) => {
            await send(writable, `got ${await textOf(readable)}`);
            await writable.close();
          },
        },
      },
    });
    const { vm } = createClient(fake.socketPath);
    await vm.create({
      payload: { kernel: "/boot/vmlinux" },
      serial: { mode: "Socket", socket: serial },
      vsock: { cid: 3, socket },
    });
    await using console = await openConsole({ socket: serial });
    const listener = await listenVsock(socket, 8);
    await vm.boot();
    await console.waitFor("login: ");
    await console.write("root\n");
    await console.waitFor("hello root\r\n# ");
    assert.deepEqual(typed, ["root"]);
    const connection = await dialVsock(socket, 7);
    await send(connection.writable, "text");
    await connection.writable.close();
    assert.equal(await textOf(connection.readable), "got text");
    const accepting = listener.accept();
    const guest = await fake.guest.connect(8);
    await send(guest.writable, "from the guest\n");
    const accepted = await accepting;
    assert.equal(await readLine(accepted.readable), "from the guest\n");
    accepted.close();
    await assert.rejects(fake.guest.connect(9));
    listener.close();
    await vm.shutdown();
    assert.ok(!existsSync(socket) && !existsSync(serial));
  }));

test("the vsock socket answers as that of a VMM", () =>
  inDirectory(async (directory) => {
    const socket = join(directory, "vsock");
    await using _fake = await FakeVmm.start({
      files: "any",
      guest: { vsock: { 7: ({ close }) => close() } },
      boot: {
        payload: { kernel: "/boot/vmlinux" },
        vsock: { cid: 3, socket },
      },
    });
    const answers = {
      "CONNECT 7\n": /^OK \d+\n$/,
      "connect 7\r\n": /^OK \d+\n$/,
      "CONNECT 8\n": /^$/,
      "GET / HTTP/1.1\n": /^$/,
      [`CONNECT ${"7".repeat(40)}`]: /^$/,
    };
    for (const [request, answer] of Object.entries(answers)) {
      const client = connect(socket);
      client.write(request);
      let text = "";
      client.on("data", (chunk) => text += chunk).on("error", () => {});
      await new Promise((resolve) => client.once("close", resolve));
      assert.match(text, answer, request);
    }
  }));

test("a client that does not read keeps no VM from its end or its boot", () =>
  inDirectory(async (directory) => {
    const serial = join(directory, "serial");
    await using fake = await FakeVmm.start({
      files: "any",
      boot: {
        payload: { kernel: "/boot/vmlinux" },
        serial: { mode: "Socket", socket: serial },
      },
    });
    const { vm } = createClient(fake.socketPath);
    fake.guest.print("a line\n".repeat(1 << 18));
    const client = connect(serial).on("error", () => {});
    await new Promise((resolve) => client.once("readable", resolve));
    for (let boot = 0; boot < 2; boot++) {
      await vm.shutdown();
      assert.ok(!existsSync(serial));
      await vm.boot();
      assert.ok(existsSync(serial));
    }
    await fake.close();
    client.destroy();
  }));

test("a guest without a driver is silent", () =>
  inDirectory(async (directory) => {
    const socket = join(directory, "vsock");
    await using _fake = await FakeVmm.start({
      files: "any",
      guest: { activates: false },
      boot: {
        payload: { kernel: "/boot/vmlinux" },
        vsock: { cid: 3, socket },
      },
    });
    const once = dialVsock(socket, 7, { retry: false, timeoutMs: 100 });
    await assert.rejects(once, { code: "deadline" });
  }));

test("fakeProgram() refuses a guest that it cannot pass on", () => {
  for (const guest of [{ serial: () => "" }, { vsock: { 1: () => {} } }]) {
    assert.throws(() => fakeProgram({ guest }), {
      name: "TypeError",
      message: /is a function.*import\.meta\.url/,
    });
  }
});

test("the stand-in program names a module that has no guest", () =>
  inDirectory(async (directory) => {
    const { spawnVmm } = await import("../../src/process/mod.ts");
    const path = join(directory, "guest.mjs");
    writeFileSync(path, "export const guest = {};");
    const guest = new URL(`file://${path}`);
    await assert.rejects(spawnVmm({ ...fakeProgram({ guest }) }), {
      name: "VmmExitedError",
      stderr: /guest\.mjs has no default export/,
    });
  }));
