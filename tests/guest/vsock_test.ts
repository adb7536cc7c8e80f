/** Connections by vsock, with a guest that has a driver. */
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import {
  dialVsock,
  GuestError,
  listenVsock,
  type VsockConnection,
} from "../../src/guest/mod.ts";
import { DeadlineError, VmmExitedError } from "../../mod.ts";
import { hosts, readLine, send, textOf } from "./support.ts";

const timeoutMs = 20_000;

for (const host of hosts) {
  host.test(`${host.name}: a dial that begins before the boot reaches the guest`, () =>
    host.with(async ({ vmm, vsock }) => {
      const early = dialVsock(vsock, 1000, { timeoutMs });
      const byHandle = dialVsock(vmm, 1000, { timeoutMs });
      await vmm.client.vm.boot();
      for (const dial of [early, byHandle]) {
        await using connection = await dial;
        assert.ok(connection.hostPort > 0);
        for (const word of ["hello\n", "again\n"]) {
          await send(connection.writable, word);
          assert.equal(await readLine(connection.readable), word);
        }
      }
    }));

  host.test(`${host.name}: close() ends a read that waits with an error`, () =>
    host.with(async ({ vmm }) => {
      await vmm.client.vm.boot();
      const connection = await dialVsock(vmm, 1002, { timeoutMs });
      const reading = connection.readable.getReader().read();
      connection.close();
      await assert.rejects(reading, { code: "closed" });
      await connection.closed;
    }));

  host.testSince(53, "it takes a half-closed connection for a closed one")(
    `${host.name}: a half-closed connection gets its answer`,
    () =>
      host.with(async ({ vmm }) => {
        await vmm.client.vm.boot();
        const connection = await dialVsock(vmm, 1004, { timeoutMs });
        const writer = connection.writable.getWriter();
        for (let part = 0; part < 20; part++) {
          await writer.write(new Uint8Array(10_000));
        }
        await writer.close();
        assert.equal(await textOf(connection.readable), "200000\n");
        await connection.closed;
      }),
  );

  host.test(`${host.name}: a megabyte that is read slowly arrives whole`, () =>
    host.with(async ({ vmm }) => {
      await vmm.client.vm.boot();
      await using connection = await dialVsock(vmm, 1003, { timeoutMs });
      let size = 0;
      let reads = 0;
      for await (const chunk of connection.readable) {
        size += chunk.length;
        assert.ok(chunk.every((byte) => byte === 0x78));
        if (++reads < 20) await new Promise((done) => setTimeout(done, 10));
      }
      assert.equal(size, 1 << 20);
    }));

  host.test(`${host.name}: a guest that does not read holds the writer back`, () =>
    host.with(async ({ vmm }) => {
      await vmm.client.vm.boot();
      const connection = await dialVsock(vmm, 1002, { timeoutMs });
      const writer = connection.writable.getWriter();
      let written = 0;
      let failure: unknown;
      const writing = (async () => {
        for (;;) {
          await writer.write(new Uint8Array(1 << 14));
          written += 1 << 14;
        }
      })().catch((error) => failure = error);
      let before = -1;
      while (written !== before) {
        before = written;
        await new Promise((done) => setTimeout(done, 300));
      }
      assert.ok(written > 0 && written < 4 << 20, `${written}`);
      connection.close();
      await writing;
      await connection.closed;
      assert.ok(failure instanceof GuestError, String(failure));
      assert.equal(failure.code, "closed");
    }));

  host.test(`${host.name}: a port without a listener is reset, or comes later`, () =>
    host.with(async ({ vmm, vsock, serial }) => {
      const missing = dialVsock(vsock, 1010, { retry: false });
      await assert.rejects(missing, { code: "socket_missing", path: vsock });
      await vmm.client.vm.boot();
      await using up = await dialVsock(vmm, 1000, { timeoutMs });
      await send(up.writable, "up\n");
      await assert.rejects(dialVsock(vmm, 1010, { retry: false }), {
        name: "GuestError",
        code: "reset",
      });
      const late = await dialVsock(vmm, 1010, { timeoutMs: 300 })
        .catch((error) => error);
      assert.ok(late instanceof DeadlineError);
      assert.match(late.message, /1010/);
      assert.equal((late.cause as GuestError).code, "reset");
      const coming = dialVsock(vmm, 1010, { timeoutMs });
      await typeInto(serial, "listen\n");
      await using connection = await coming;
      await send(connection.writable, "late\n");
      assert.equal(await readLine(connection.readable), "late\n");
    }));

  host.test(`${host.name}: a dial to a paused VM waits until it resumes`, () =>
    host.with(async ({ vmm }) => {
      await vmm.client.vm.boot();
      (await dialVsock(vmm, 1000, { timeoutMs })).close();
      await vmm.client.vm.pause();
      await assert.rejects(dialVsock(vmm, 1000, { timeoutMs: 200 }), {
        code: "deadline",
      });
      const waiting = dialVsock(vmm, 1000, { timeoutMs });
      await vmm.client.vm.resume();
      await using connection = await waiting;
      await send(connection.writable, "awake\n");
      assert.equal(await readLine(connection.readable), "awake\n");
    }));

  host.test(`${host.name}: twenty dials at once each get their own answer`, () =>
    host.with(async ({ vmm }) => {
      await vmm.client.vm.boot();
      const numbers = Array.from({ length: 20 }, (_, i) => i);
      await Promise.all(numbers.map(async (number) => {
        await using one = await dialVsock(vmm, 1000, { timeoutMs });
        await send(one.writable, `number ${number}\n`);
        assert.equal(await readLine(one.readable), `number ${number}\n`);
      }));
    }));

  host.test(`${host.name}: the guest reaches a listener from the boot on`, () =>
    host.with(async ({ vmm, vsock, serial }) => {
      const listener = await listenVsock(vmm, 2000);
      assert.equal(listener.path, `${vsock}_2000`);
      assert.equal(statSync(listener.path).mode & 0o777, 0o600);
      await vmm.client.vm.boot();
      const first = await listener.accept({ timeoutMs });
      assert.equal(first.hostPort, 2000);
      assert.equal(await readLine(first.readable), "READY\n");
      await send(first.writable, "welcome\n");
      assert.equal(await textOf(first.readable), "");
      await first[Symbol.asyncDispose]();
      const seen: VsockConnection[] = [];
      const iterating = (async () => {
        for await (const connection of listener) {
          seen.push(connection);
          await send(connection.writable, "hello\n");
          await textOf(connection.readable);
          connection.close();
          if (seen.length === 3) listener.close();
        }
      })();
      for (let n = 0; n < 3; n++) await typeInto(serial, "connect 2000\n");
      await iterating;
      assert.equal(seen.length, 3);
      assert.ok(!existsSync(listener.path));
      await assert.rejects(listener.accept(), { code: "closed" });
    }));

  host.test(`${host.name}: connections that nobody takes leave vsock usable`, () =>
    host.with(async ({ vmm, serial }) => {
      await using listener = await listenVsock(vmm, 2000);
      await vmm.client.vm.boot();
      for (let n = 0; n < 5; n++) await typeInto(serial, "connect 2000\n");
      await using connection = await dialVsock(vmm, 1000, { timeoutMs });
      await send(connection.writable, "alive\n");
      assert.equal(await readLine(connection.readable), "alive\n");
      listener.close();
    }));

  host.test(`${host.name}: the VMM's death ends dials, listeners and connections`, () =>
    host.with(async ({ vmm }) => {
      const listener = await listenVsock(vmm, 2001);
      await vmm.client.vm.boot();
      const connection = await dialVsock(vmm, 1000, { timeoutMs });
      const reading = textOf(connection.readable).catch((error) => error.code);
      const never = dialVsock(vmm, 1010, { timeoutMs });
      const { client } = vmm;
      const unowned = dialVsock({ client }, 1010, { timeoutMs });
      const accepting = listener.accept();
      const iterating = (async () => {
        for await (const _ of listener) assert.fail();
      })();
      const ends = Promise.all([
        assert.rejects(never, VmmExitedError),
        assert.rejects(unowned, VmmExitedError),
        assert.rejects(accepting, VmmExitedError),
        iterating,
      ]);
      await vmm.kill();
      await ends;
      assert.ok(["", "reset"].includes(await reading));
      connection.close();
      await connection.closed;
      assert.ok(!existsSync(listener.path));
    }));
}

/** Types into the serial port, and leaves it in order. */
async function typeInto(path: string, text: string): Promise<void> {
  const { connect } = await import("node:net");
  const socket = connect({ path, allowHalfOpen: true });
  socket.write(text);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      output += chunk;
      if (/listening|host says|refused/.test(output)) socket.end();
      else if (/connect/.test(output)) socket.end();
    });
    socket.on("end", resolve);
  });
  socket.destroy();
}
