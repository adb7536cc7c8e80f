/** The sockets of a VM: when they exist, and what they answer. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dialVsock } from "../../src/guest/mod.ts";
import { hosts } from "./support.ts";

const timeoutMs = 20_000;

for (const host of hosts) {
  host.test(`${host.name}: vm.boot makes the vsock socket, vm.shutdown removes it`, () =>
    host.with(async ({ vmm: { client: { vm } }, vsock, serial }) => {
      assert.deepEqual([vsock, serial].map(existsSync), [false, true]);
      await vm.boot();
      assert.ok(existsSync(vsock));
      await vm.shutdown();
      assert.deepEqual([vsock, serial].map(existsSync), [false, false]);
    }));

  host.test(`${host.name}: vm.boot fails where a file is in the vsock socket's place`, () =>
    host.with(async ({ vmm: { client: { vm } }, vsock }) => {
      writeFileSync(vsock, "");
      await assert.rejects(vm.boot(), { message: /Address already in use/ });
    }));

  host.test(`${host.name}: a serial socket that is in use keeps the configuration`, () =>
    host.with(async ({ vmm: { client: { vm } }, config, serial }) => {
      await vm.delete();
      assert.ok(existsSync(serial));
      await assert.rejects(vm.create(config), {
        message: /Address already in use/,
      });
      assert.equal((await vm.info()).state, "Created");
      rmSync(serial);
      await vm.delete();
      await vm.create(config);
    }));

  host.test(`${host.name}: the vsock socket takes each form of CONNECT, and no other text`, () =>
    host.with(async ({ vmm, vsock }) => {
      await vmm.client.vm.boot();
      (await dialVsock(vmm, 1000, { timeoutMs })).close();
      const answers = {
        "CONNECT 1000\n": /^OK \d+\n$/,
        "connect 1000\r\n": /^OK \d+\n$/,
        "CONNECT 1000\ntext\n": /^OK \d+\ntext\n$/,
        "CONNECT 1999\n": /^$/,
        "GET / HTTP/1.1\n": /^$/,
      };
      for (const [request, answer] of Object.entries(answers)) {
        assert.match(await answerTo(vsock, request, answer), answer, request);
      }
    }));
}

/** Reads to the end, or until the answer is whole. */
function answerTo(
  path: string,
  request: string,
  answer: RegExp,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(path, () => socket.write(request));
  let text = "";
  socket.on("data", (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    if (answer.test(text)) socket.destroy();
  });
  socket.on("error", () => {});
  socket.once("close", () => resolve(text));
  return promise;
}
