import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readEvents } from "../../src/events/mod.ts";
import { brief, briefly, event, LAST, turns } from "../support/records.ts";
import { inDirectory } from "../support/vmms.ts";

test("readEvents() takes a URL, and a descriptor that stays open", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1) + LAST);
    const url = new URL(`file://${path}`);
    assert.deepEqual(await briefly(readEvents(url)), [1, 0]);
    const fd = openSync(path, "r");
    assert.deepEqual(await briefly(readEvents(fd)), [1, 0]);
    assert.deepEqual(await briefly(readEvents(fd)), [1, 0]);
    closeSync(fd);
  });
});

test("readEvents() left releases everything, also while it waits", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1) + event(2));
    const files = () => readdirSync("/proc/self/fd").length;
    // The first watch of a process opens what it then keeps.
    for await (const _ of readEvents(path)) break;
    const before = files();
    readEvents(path);
    for (let i = 0; i < 20; i++) {
      for await (const _ of readEvents(path)) break;
      const events = readEvents(path);
      await events.next();
      await events.next();
      const waiting = events.next();
      await turns();
      assert.equal((await events.return()).done, true);
      assert.equal((await waiting).done, true);
    }
    assert.equal(files(), before);
  });
});

test("readEvents() reads pipes, without blocking at a silent one", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "fifo");
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, "r+");
    writeFileSync(path, event(1));
    const events = readEvents(fd);
    assert.equal(brief((await events.next()).value!), 1);
    const waiting = events.next();
    await turns();
    await events.return();
    assert.equal((await waiting).done, true);
    closeSync(fd);

    const reading = briefly(readEvents(path));
    const child = spawn("sh", [
      "-c",
      `printf '%s\\n\\n' "$1" > ${path}`,
      "sh",
      event(2).trim(),
    ]);
    await once(child, "exit");
    assert.deepEqual(await reading, [2]);
  });
});

test("readEvents() reads a web stream and cancels it", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) =>
      controller.enqueue(new TextEncoder().encode(event(1) + event(2))),
    cancel: () => void (cancelled = true),
  });
  for await (const one of readEvents(stream)) {
    assert.equal(brief(one), 1);
    break;
  }
  await turns();
  assert.ok(cancelled);
});

test("readEvents() refuses what is no source", async () => {
  assert.throws(() => readEvents(null as never), TypeError);
  assert.throws(() => readEvents({} as never), TypeError);
  await inDirectory(async (directory) => {
    mkdirSync(join(directory, "d"));
    await assert.rejects(readEvents(join(directory, "d")).next(), {
      code: "EISDIR",
    });
  });
});

test("readEvents() refuses a URL in place of a path", () => {
  for (const source of ["file:///run/events", "unix:/run/events", ""]) {
    assert.throws(() => readEvents(source), {
      code: "invalid_request",
      field: "source",
    });
  }
});
