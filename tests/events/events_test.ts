import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  readEvents,
  type UnreadableEvent,
  type VmmEvent,
} from "../../src/events/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { withRandom } from "../support/random.ts";
import { allRecordings } from "../support/recordings.ts";
import { inDirectory } from "../support/vmms.ts";

function event(n: number, name = "resized"): string {
  const text = {
    timestamp: { secs: n, nanos: 1 },
    source: "vm",
    event: name,
    properties: null,
  };
  return `${JSON.stringify(text, null, 2)}\n\n`;
}

const LAST = event(0, "shutdown").replace('"vm"', '"vmm"');

async function* chunks(parts: Iterable<Uint8Array | string>) {
  for (const part of parts) {
    yield typeof part === "string" ? new TextEncoder().encode(part) : part;
  }
}

async function all(events: AsyncIterable<VmmEvent>): Promise<VmmEvent[]> {
  const list = [];
  for await (const one of events) list.push(one);
  return list;
}

function brief(one: VmmEvent): string | number {
  if (one.timestamp !== null) return one.timestamp.secs;
  const { offset, length } = one.properties;
  return `${offset}+${length}`;
}

const briefly = async (events: AsyncIterable<VmmEvent>) =>
  (await all(events)).map(brief);

test("readEvents() joins records that are split anywhere", async () => {
  const bytes = new TextEncoder().encode(
    event(1) + event(2, "größer 🎉") + event(3),
  );
  const whole = await all(readEvents(chunks([bytes])));
  assert.deepEqual(whole.map(brief), [1, 2, 3]);
  const [, unlisted] = whole;
  assert.ok(unlisted?.event === "unlisted");
  assert.equal(unlisted.properties.event, "größer 🎉");
  assert.equal(unlisted.properties.source, "vm");
  for (let at = 0; at <= bytes.length; at++) {
    const parts = [bytes.subarray(0, at), bytes.subarray(at)];
    assert.deepEqual(await all(readEvents(chunks(parts))), whole);
  }
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  assert.deepEqual(await all(readEvents(chunks(single))), whole);
});

test("readEvents() names garbage and goes on", async () => {
  const one = event(1);
  const at = (n: number) => one.length + n;
  for (
    const [garbage, offset, length] of [
      ["garbage\n\n", 0, 7],
      ['{"a": 1}\n\n', 0, 8],
      ["\xff\xfe\n\n", 0, 4],
      [event(9).slice(0, 40), 0, 41],
      ["[1,\n2]\n\n", 0, 6],
      ["null\n\n", 0, 4],
      ['{"__proto__": {"polluted": 1}}\n\n', 0, 30],
    ] as const
  ) {
    const text = `${one}${garbage.endsWith("\n") ? garbage : `${garbage}\n`}`;
    const events = await all(readEvents(chunks([text + event(2)])));
    assert.deepEqual(
      events.map(brief),
      [1, `${at(offset)}+${length}`, 2],
      garbage,
    );
    const found = events[1] as UnreadableEvent;
    assert.equal(found.event, "unreadable");
    assert.equal(found.properties.bytes.length, length);
  }
  assert.equal("polluted" in {}, false);
});

test("readEvents() bounds a record that never ends", async () => {
  const long = "x".repeat(5_000_000);
  const parts = [
    event(1),
    long.slice(0, 9),
    long.slice(9),
    "\n",
    "\n",
    event(2),
  ];
  const events = await all(readEvents(chunks(parts)));
  assert.deepEqual(events.map(brief), [
    1,
    `${event(1).length}+5000000`,
    2,
  ]);
  const { bytes } = (events[1] as UnreadableEvent)
    .properties;
  assert.equal(bytes.length, 1024);
});

test("readEvents() reports a record that is cut off at the end", async () => {
  const text = event(1) + event(2).slice(0, 30);
  assert.deepEqual(await briefly(readEvents(chunks([text]))), [
    1,
    `${event(1).length}+30`,
  ]);
  // Only its empty line is missing.
  assert.deepEqual(
    await briefly(readEvents(chunks([event(1).trimEnd()]))),
    [1],
  );
});

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

test("readEvents() left lets go of everything, also while it waits", async () => {
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
    assert.deepEqual((await reading).slice(0, events.length), [...events]);
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

/** Lets what waits begin to wait. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
