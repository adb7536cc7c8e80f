import assert from "node:assert/strict";
import { test } from "node:test";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  closeSync,
  openSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { inDirectory } from "../support/vmms.ts";
import { readEvents, type UnreadableEvent } from "../../src/events/mod.ts";
import {
  all,
  brief,
  briefly,
  chunks,
  event,
  LAST,
} from "../support/records.ts";

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

test("readEvents() delivers each whole record behind any garbage", async () => {
  const nuls = "\0".repeat(300);
  for (
    const garbage of [
      nuls,
      `${nuls}\n`,
      "garbage",
      "{",
      "{{{",
      '{"timestamp": {',
      event(9).slice(0, 40),
      event(9).slice(0, 40) + nuls,
      '"}]\\',
      "\x80\xff\xfe",
      "{ garbage }\n",
    ]
  ) {
    const bytes = Buffer.from(
      event(1) + garbage + event(2) + event(3),
      "latin1",
    );
    for (const parts of [[bytes], Array.from(bytes, (byte) => [byte])]) {
      const pieces = parts.map((part) => Uint8Array.from(part));
      const events = await all(readEvents(chunks(pieces)));
      const place = `${event(1).length}+${garbage.length}`;
      assert.deepEqual(events.map(brief), [1, place, 2, 3], garbage);
    }
  }
});

test("readEvents() delivers a record behind more garbage than it keeps", async () => {
  for (const byte of ["\0", "x", "{", "\n "]) {
    const length = 3 << 20;
    const garbage = byte.repeat(length / byte.length);
    const bytes = new TextEncoder().encode(event(1) + garbage + event(2));
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 60_000) {
      parts.push(bytes.subarray(at, at + 60_000));
    }
    const events = await briefly(readEvents(chunks(parts)));
    assert.deepEqual(events, [1, `${event(1).length}+${length}`, 2]);
  }
});

test("readEvents() goes on behind the hole of a file that was truncated", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    const fd = openSync(path, "w");
    const before = event(1) + event(2);
    writeSync(fd, before);
    const late = readEvents(path);
    const reading = readEvents(path);
    assert.equal(brief((await reading.next()).value!), 1);
    assert.equal(brief((await reading.next()).value!), 2);
    truncateSync(path);
    // A writer without O_APPEND goes on at its old position.
    writeSync(fd, event(3) + LAST, before.length);
    assert.deepEqual(await briefly(reading), [3, 0]);
    const hole = `0+${before.length}`;
    assert.deepEqual(await briefly(late), [hole, 3, 0]);
    closeSync(fd);
  });
});

test("readEvents() skips a hole of 2 GiB", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "events");
    writeFileSync(path, event(1));
    truncateSync(path, 2 ** 31);
    appendFileSync(path, event(2) + LAST);
    const length = 2 ** 31 - event(1).length;
    const events = await briefly(readEvents(path));
    assert.deepEqual(events, [1, `${event(1).length}+${length}`, 2, 0]);
  });
});
