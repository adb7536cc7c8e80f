/** An abort of a log or of a terminal leaves nothing behind. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type GuestConsole,
  logConsole,
  openConsole,
} from "../../src/guest/mod.ts";
import { createCountedSignal } from "../support/counted_signal.ts";
import { hosts, KEEPS_CLIENTS, waitForPrompt } from "./support.ts";

const wait = { timeoutMs: 20_000 };
const reason = new Error("enough");

for (const host of hosts) {
  host.testSince(50, KEEPS_CLIENTS)(
    `${host.name}: an abort of logConsole() at any step leaves nothing`,
    () =>
      host.with(async ({ vmm, serial }) => {
        const file = join(vmm.directory, "log");
        const steps: (() => Promise<unknown> | undefined)[] = [
          // The VM is not booted: it listens, and writes nothing.
          () => undefined,
          () => delay(1),
          () => vmm.client.vm.boot(),
          () => delay(5),
          () => vmm.client.vm.reboot(),
        ];
        for (const step of steps) {
          const { signal, abort } = createCountedSignal();
          const log = logConsole({ socket: serial }, file, { signal });
          log.console.connected.catch(() => {});
          await step();
          abort(reason);
          await log.console.closed;
          await log.done;
          await assert.rejects(log.console.waitFor("never"), reason);
          assert.deepEqual(openFiles(file), []);
        }
        // Nobody holds the port any more.
        await using console = await openConsole({ socket: serial });
        await echo(console, "still here");
        assert.doesNotMatch(readFileSync(file, "utf8"), /still here/);
      }),
  );

  host.test(`${host.name}: a log that closes by itself forgets its signal`, () =>
    host.with(async ({ vmm, serial }) => {
      const file = join(vmm.directory, "log");
      const counted = createCountedSignal();
      const { signal } = counted;
      const log = logConsole({ socket: serial }, file, { signal });
      assert.equal(counted.listeners, 1);
      await vmm.client.vm.boot();
      await waitForPrompt(log.console);
      await log.close();
      await log.done;
      assert.equal(counted.listeners, 0);
      assert.deepEqual(openFiles(file), []);
    }));

  host.test(`${host.name}: an abort of attach() gives the terminal back, and keeps the console`, () =>
    host.with(async ({ vmm, serial }) => {
      await using console = await openConsole({ socket: serial });
      const { input, output } = terminal();
      const before = createCountedSignal();
      before.abort(reason);
      await assert.rejects(
        console.attach({ input, output, signal: before.signal }),
        reason,
      );
      assert.deepEqual(input.calls, []);

      await vmm.client.vm.boot();
      await waitForPrompt(console);
      for (const typed of ["", "echo unfinished", "flood 3000\r"]) {
        const { signal, abort } = createCountedSignal();
        const attached = console.attach({ input, output, signal });
        if (typed !== "") input.emit("data", typed);
        abort(reason);
        await assert.rejects(attached, reason);
        assert.equal(input.listenerCount("data"), 0);
        assert.deepEqual(input.calls.splice(0), [
          "raw true",
          "resume",
          "pause",
          "raw false",
        ]);
        const { length } = output.chunks;
        await console.write("\n");
        await echo(console, `after ${typed.length}`);
        assert.equal(output.chunks.length, length);
      }
      const left = createCountedSignal();
      const { signal } = left;
      const attached = console.attach({ input, output, signal });
      assert.equal(left.listeners, 1);
      input.emit("data", "\x1d");
      assert.equal(await attached, "escape");
      assert.equal(left.listeners, 0);
    }));
}

async function echo(console: GuestConsole, text: string): Promise<void> {
  await console.write(`\necho ${text}\n`);
  // Not the echo of the command; the fake answers behind its prompts.
  await console.waitFor(new RegExp(`(\\n|login: )${text}\r\n`), wait);
}

/** The open descriptors of a file. */
function openFiles(path: string): string[] {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  });
}

/** A person's terminal, which records what was called. */
function terminal() {
  const calls: string[] = [];
  const input = Object.assign(new EventEmitter(), {
    calls,
    isTTY: true,
    isRaw: false,
    setRawMode: (raw: boolean) => void calls.push(`raw ${raw}`),
    resume: () => void calls.push("resume"),
    pause: () => void calls.push("pause"),
  });
  const chunks: Uint8Array[] = [];
  const output = { chunks, write: (chunk: Uint8Array) => chunks.push(chunk) };
  return { input, output };
}
