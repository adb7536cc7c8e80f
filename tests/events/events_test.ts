import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { readEvents } from "../../src/events/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { withRandom } from "../support/random.ts";
import { allRecordings } from "../support/recordings.ts";
import { all, brief, briefly, event, LAST, turns } from "../support/records.ts";
import { inDirectory } from "../support/vmms.ts";

test("readEvents() follows a file to the VMM's end", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    const reading = briefly(readEvents(path));
    await turns();
    writeFileSync(path, event(1).slice(0, 20));
    await turns();
    appendFileSync(path, event(1).slice(20) + event(2));
    await turns();
    appendFileSync(path, LAST + event(9));
    assert.deepEqual(await reading, [1, 2, 0]);
  });
});

test("readEvents() from now on begins at the call", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    for (const begun of ["", event(2).slice(0, 50)]) {
      writeFileSync(path, event(1) + begun);
      const events = readEvents(path, { from: "now" });
      appendFileSync(path, event(2).slice(begun.length) + LAST);
      assert.deepEqual(await briefly(events), [2, 0]);
    }
    const events = readEvents(join(directory, "later"), { from: "now" });
    writeFileSync(join(directory, "later"), event(3) + LAST);
    assert.deepEqual(await briefly(events), [3, 0]);
  });
});

test("readEvents() survives a file that is truncated or replaced", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1) + event(2) + "{ half");
    const events = readEvents(path);
    assert.equal(brief((await events.next()).value!), 1);
    assert.equal(brief((await events.next()).value!), 2);
    const third = events.next();
    await turns();
    truncateSync(path);
    appendFileSync(path, event(3));
    assert.equal(
      brief((await third).value!),
      `${event(1).length + event(2).length}+6`,
    );
    assert.equal(brief((await events.next()).value!), 3);
    const next = events.next();
    await turns();
    writeFileSync(`${path}.new`, event(4));
    renameSync(`${path}.new`, path);
    assert.equal(brief((await next).value!), 4);
    const after = events.next();
    appendFileSync(path, LAST);
    assert.equal(brief((await after).value!), 0);
    assert.equal((await events.next()).done, true);
  });
});

test("readEvents() ends with the VMM, and reads what is left", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1));
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const reading = briefly(readEvents(path, { ended }));
    await turns();
    appendFileSync(path, event(2));
    resolve();
    assert.deepEqual(await reading, [1, 2]);
    const missing = join(directory, "missing");
    assert.deepEqual(await briefly(readEvents(missing, { ended })), []);
  });
});

test("readEvents() aborted gives the signal's reason, wherever it is", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1));
    const reason = new Error("enough");
    const isReason = (error: unknown) => error === reason;
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(
      readEvents(path, { signal: aborted }).next(),
      isReason,
    );
    for (const source of [path, join(directory, "missing")]) {
      const controller = new AbortController();
      const { signal } = controller;
      const reading = all(readEvents(source, { signal }));
      await turns();
      controller.abort(reason);
      await assert.rejects(reading, isReason);
    }
    const controller = new AbortController();
    const silent = new ReadableStream<Uint8Array>();
    const reading = all(readEvents(silent, { signal: controller.signal }));
    await turns();
    controller.abort(reason);
    await assert.rejects(reading, isReason);
  });
});

test("readEvents() loses nothing of 100,000 events, and keeps their order", async () => {
  await withRandom((random) =>
    inDirectory(async (directory) => {
      const path = join(directory, "events");
      const writer = fileURLToPath(
        new URL("../programs/writer.ts", import.meta.url),
      );
      const args = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
      const child = spawn(process.execPath, [
        ...args,
        writer,
        path,
        "100000",
        `${Math.floor(random() * 2 ** 31)}`,
      ]);
      const ended = once(child, "exit");
      let next = 0;
      for await (const { source, timestamp } of readEvents(path)) {
        if (source === "vmm") break;
        assert.equal(timestamp?.secs, next++);
      }
      assert.equal(next, 100_000);
      await ended;
    })
  );
});

test("readEvents() reads what a fake VMM reports", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    const fd = openSync(path, "w");
    const fake = await FakeVmm.start({ files: "any", eventFd: fd });
    const reading = all(readEvents(path));
    await fake.close();
    const { events } = fake;
    fake.close();
    closeSync(fd);
    appendFileSync(path, LAST);
    const seen = (await reading).map(({ offset: _, ...event }) => event);
    assert.deepEqual(seen.slice(0, events.length), [...events]);
  });
});

test("readEvents() knows every event that was recorded", () => {
  const source = readFileSync(
    new URL("../../src/generated/events.gen.ts", import.meta.url),
    "utf8",
  );
  const kinds = [...source.matchAll(/MonitorEvent<"([^"]+)", "([^"]+)"/g)]
    .map(([, source, event]) => `${source} ${event}`);
  assert.equal(new Set(kinds).size, 34);
  let seen = 0;
  for (const { events } of allRecordings()) {
    for (const { source, event } of events) {
      assert.ok(kinds.includes(`${source} ${event}`), `${source} ${event}`);
      seen++;
    }
  }
  assert.ok(seen > 100);
});

test("readEvents() from an offset goes on after an earlier event", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1) + "garbage\n\n" + event(2) + event(3) + LAST);
    const events = await all(readEvents(path));
    assert.deepEqual(events.map(brief), [1, `${event(1).length}+7`, 2, 3, 0]);
    for (const [index, { offset }] of events.slice(0, -1).entries()) {
      const rest = await all(readEvents(path, { from: offset }));
      assert.deepEqual(rest, events.slice(index + 1));
    }
    // The file of the next run is shorter.
    writeFileSync(path, LAST);
    const { offset } = events[2]!;
    assert.deepEqual(await briefly(readEvents(path, { from: offset })), [0]);
    const ended = Promise.resolve();
    writeFileSync(path, event(1) + event(2));
    assert.deepEqual(await briefly(readEvents(path, { ended })), [1, 2]);
  });
});
