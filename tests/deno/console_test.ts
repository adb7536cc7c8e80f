/** Consoles under Deno's own sanitizers of timers, sockets and files. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { logConsole, openConsole } from "../../src/guest/mod.ts";
import { emulateVsock } from "../guest/emulator.ts";

const reason = new Error("enough");

Deno.test("an abort of logConsole() leaves nothing open", async () => {
  const directory = mkdtempSync("/tmp/chv-console-");
  const path = join(directory, "serial");
  // Nobody listens, so the log tries again and again.
  for (const listens of [false, true]) {
    const port = listens ? await emulateVsock(path, () => undefined) : null;
    const controller = new AbortController();
    const { signal } = controller;
    const log = logConsole({ socket: path }, join(directory, "log"), {
      signal,
    });
    const connected = log.console.connected.catch((error) => error);
    if (listens) await connected;
    controller.abort(reason);
    await log.done;
    await log.console.closed;
    await port?.close();
  }
  rmSync(directory, { recursive: true });
});

Deno.test("an abort of attach() leaves nothing open", async () => {
  const directory = mkdtempSync("/tmp/chv-console-");
  const path = join(directory, "serial");
  const port = await emulateVsock(path, () => undefined);
  const console = await openConsole({ socket: path });
  const controller = new AbortController();
  const input = Object.assign(new EventEmitter(), {
    resume: () => {},
    pause: () => {},
  });
  const output = { write: () => {} };
  const { signal } = controller;
  const attached = console.attach({ input, output, signal });
  input.emit("data", "typed");
  controller.abort(reason);
  await assert.rejects(attached, reason);
  assert.equal(input.listenerCount("data"), 0);
  await console.close();
  await port.close();
  rmSync(directory, { recursive: true });
});
