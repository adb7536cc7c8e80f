/** Attacks of a hostile guest on a script that reaches the guest. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  dialVsock,
  listenVsock,
  logConsole,
  openConsole,
  waitForReady,
} from "../../src/guest/mod.ts";
import { inDirectory } from "../support/vmms.ts";
import { emulateVsock } from "./emulator.ts";
import { readLine } from "./support.ts";

test("a dial ends when what listens is no vsock device", () =>
  inDirectory(async (directory) => {
    const answers = ["HTTP/1.1 400 \r\n\r\n", "x".repeat(5000), "OK \x9b31m\n"];
    for (const [index, answer] of answers.entries()) {
      const path = join(directory, `${index}`);
      const server = await serve(path, (socket) => socket.write(answer));
      await assert.rejects(dialVsock(path, 1), (error: Error) => {
        assert.equal((error as { code?: unknown }).code, "not_vsock");
        assert.doesNotMatch(error.message, /\p{Cc}/u);
        assert.ok(error.message.length < 300);
        return true;
      });
      await server.close();
    }
    const plain = join(directory, "file");
    writeFileSync(plain, "");
    const once = dialVsock(plain, 1, { retry: false });
    await assert.rejects(once, { code: "refused" });
  }));

test("bytes right behind the answer belong to the connection", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const server = await serve(path, (socket) => {
      socket.write("OK 1");
      setTimeout(() => socket.write("7\nfirst\nsecond"), 5);
    });
    const connection = await dialVsock(path, 1);
    assert.equal(connection.hostPort, 17);
    assert.equal(await readLine(connection.readable), "first\nsecond");
    connection.close();
    await server.close();
  }));

test("an abort at any step of a dial leaves no connection", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const guest = await emulateVsock(path, () => drop);
    const reason = new Error("enough");
    for (let step = 0; step < 20; step++) {
      const controller = new AbortController();
      const dial = dialVsock(path, 1, { signal: controller.signal });
      for (let turn = 0; turn < step; turn++) await Promise.resolve();
      if (step > 10) await delay((step - 10) / 5);
      controller.abort(reason);
      await dial.then(
        (connection) => connection.close(),
        (error) => assert.equal(error, reason),
      );
    }
    while (guest.sockets.size > 0) await delay(1);
    await guest.close();
  }));

test("a listener survives a thousand connections that nobody takes", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const listener = await listenVsock(path, 5);
    const sockets: Socket[] = [];
    let closed = 0;
    for (let n = 0; n < 1000; n++) {
      const socket = connect({ path: listener.path });
      socket.on("error", () => {});
      socket.on("close", () => closed++);
      socket.resume();
      sockets.push(socket);
      if (n % 50 === 49) await delay(1);
    }
    while (closed < 1000 - 64) await delay(5);
    const first = await listener.accept();
    first.close();
    listener.close();
    while (closed < 1000) await delay(5);
    assert.deepEqual(readdirSync(directory), []);
  }));

test("a listener takes over a dead socket, and no live one", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const first = await listenVsock(path, 5);
    await assert.rejects(listenVsock(path, 5), { code: "in_use" });
    assert.ok(existsSync(first.path));
    first.close();
    const server = createServer().listen(`${path}_6`);
    await new Promise((resolve) => server.once("listening", resolve));
    // As a killed script leaves it.
    const { linkSync, renameSync } = await import("node:fs");
    linkSync(`${path}_6`, `${path}_dead`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${path}_dead`, `${path}_6`);
    await using second = await listenVsock(path, 6);
    const accepting = second.accept();
    connect(second.path).on("error", () => {}).end();
    (await accepting).close();
  }));

test("waitForReady() ends in time with guests that never close or stop", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const boot = () => Promise.resolve();
    const ready = waitForReady(path, { boot, timeoutMs: 500 });
    while (!existsSync(`${path}_8888`)) await delay(2);
    const sockets = Array.from({ length: 100 }, (_, n) => {
      const socket = connect(`${path}_8888`).on("error", () => {});
      if (n % 2) socket.write("READY=".repeat(100_000));
      return socket.resume();
    });
    await assert.rejects(ready, { code: "deadline" });
    await Promise.all(
      sockets.map((socket) =>
        socket.closed || new Promise((done) => socket.once("close", done))
      ),
    );
    assert.deepEqual(readdirSync(directory), []);
  }));

test("a console's memory is bounded, and lines without an end come in parts", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "serial");
    const size = 8 << 20;
    const server = await serve(path, (socket) => {
      for (let n = 0; n < 128; n++) socket.write("x".repeat(size / 128));
      socket.write("\nend\n");
    });
    await using console = await openConsole({ socket: path });
    while (!console.transcript.endsWith("end\n")) await delay(10);
    assert.equal(console.transcript.length, 1 << 20);
    assert.ok(console.lost >= size - (2 << 20), `${console.lost}`);
    let longest = 0;
    for await (const line of console.lines()) {
      longest = Math.max(longest, line.length);
      if (line === "end") break;
    }
    assert.equal(longest, 1 << 16);
    await server.close();
  }));

test("a log has no control characters of the guest, and all of its text", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "serial");
    const file = join(directory, "log");
    const output = "a\r\n\x1b]0;title\x07b\x9b1m\u202ec\r\nd\u00e9\ttab\rz";
    const bytes = new TextEncoder().encode(output);
    const server = await serve(path, (socket) => {
      // Split within characters, and within the end of a line.
      for (const byte of bytes) socket.write(new Uint8Array([byte]));
    });
    writeFileSync(file, "before\n");
    const log = logConsole({ socket: path }, file);
    while (!log.console.transcript.endsWith("z")) await delay(5);
    await log.close();
    await log.done;
    assert.equal(
      readFileSync(file, "utf8"),
      "before\na\n\\x1b]0;title\\x07b\\x9b1m\\u202ec\nd\u00e9\ttab\\x0dz",
    );
    await server.close();
  }));

test("a console of a path ends when nothing listens there any more", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "serial");
    const server = await serve(path, (socket) => socket.write("last"));
    const console = await openConsole({ socket: path });
    await console.waitFor("last");
    await server.close();
    const lines = [];
    for await (const line of console.lines()) lines.push(line);
    assert.deepEqual(lines, []);
    await assert.rejects(console.write("x"), { name: "GuestError" });
    await console.closed;
  }));

/** Reads to the end of file, and closes. */
function drop(socket: Socket): void {
  socket.on("end", () => socket.destroy()).resume();
}

/** Listens, and ends the connections at the end. */
async function serve(path: string, onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.resume();
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
