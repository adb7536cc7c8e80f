/** The events of several VMs in one stream. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type EventReader,
  type MergedEvent,
  mergeEvents,
  type NamedEvents,
  readEvents,
  type VmmEvent,
} from "../../src/events/mod.ts";
import { createCountedSignal } from "../support/counted_signal.ts";
import { event, LAST, turns } from "../support/records.ts";
import { VM } from "../support/running_vm.ts";
import { faked, inDirectory } from "../support/vmms.ts";

/** The reader of a file of this name in the directory. */
function fileOf(directory: string, name: string): NamedEvents {
  const path = join(directory, name);
  return { name, events: (options) => readEvents(path, options) };
}

async function briefly(events: AsyncIterable<MergedEvent>): Promise<string[]> {
  const list = [];
  for await (const one of events) list.push(brief(one));
  return list;
}

function brief({ vm, timestamp, event }: MergedEvent): string {
  return `${vm} ${timestamp?.secs ?? event}`;
}

test("mergeEvents() names the VM of each event, and ends with the last one", () =>
  inDirectory(async (directory) => {
    writeFileSync(join(directory, "a"), event(1) + event(2));
    const vms = ["a", "b"].map((name) => fileOf(directory, name));
    const events = mergeEvents(vms);
    const next = async (): Promise<string> =>
      brief((await events.next()).value as MergedEvent);
    assert.equal(await next(), "a 1");
    writeFileSync(join(directory, "b"), event(3) + LAST);
    assert.deepEqual([await next(), await next(), await next()].sort(), [
      "a 2",
      "b 0",
      "b 3",
    ]);
    appendFileSync(join(directory, "a"), event(4) + LAST);
    assert.deepEqual(await briefly(events), ["a 4", "a 0"]);
    assert.deepEqual(await briefly(mergeEvents([])), []);
  }));

test("mergeEvents() goes on behind offsets that were stored as JSON", () =>
  inDirectory(async (directory) => {
    for (const name of ["a", "b", "c"]) {
      writeFileSync(join(directory, name), event(1) + event(2) + LAST);
    }
    const vms = ["a", "b", "c"].map((name) => fileOf(directory, name));
    const offsets: Record<string, number> = {};
    for await (const { vm, offset, timestamp } of mergeEvents(vms)) {
      const secs = timestamp?.secs;
      if (vm === "a" && secs === 1) offsets["a"] = offset;
      if (vm === "b" && secs === 2) offsets["b"] = offset;
    }
    const from = JSON.parse(JSON.stringify(offsets));
    const rest = await briefly(mergeEvents(vms, { from }));
    assert.deepEqual(rest.sort(), ["a 0", "a 2", "b 0", "c 0", "c 1", "c 2"]);
    const now = mergeEvents(vms, { from: "now" });
    for (const { name } of vms) appendFileSync(join(directory, name), LAST);
    assert.equal((await briefly(now)).length, 3);
  }));

test("mergeEvents() reports a stream that fails, and loses no other event", () =>
  inDirectory(async (directory) => {
    writeFileSync(join(directory, "a"), event(1));
    const error = new Error("no such disk");
    const events: EventReader = async function* () {
      yield { ...(await first(directory, "a")), offset: 77 };
      throw error;
    };
    const merged = mergeEvents([fileOf(directory, "a"), { name: "b", events }]);
    const seen: MergedEvent[] = [];
    for await (const one of merged) {
      seen.push(one);
      if (one.event === "failed") appendFileSync(join(directory, "a"), LAST);
    }
    assert.deepEqual(seen.map(brief).sort(), ["a 0", "a 1", "b 1", "b failed"]);
    const failed = seen.find((one) => one.event === "failed")!;
    assert.deepEqual(failed, {
      timestamp: null,
      source: "reader",
      event: "failed",
      properties: { error },
      offset: 77,
      vm: "b",
    });
  }));

test("mergeEvents() reads one event of each VM ahead, and lets all take turns", async () => {
  const read: Record<string, number> = { busy: 0, calm: 0 };
  const vms = ["busy", "calm"].map((name): NamedEvents => ({
    name,
    events: async function* () {
      for (;;) yield { ...SOME, offset: ++read[name]! };
    },
  }));
  const counts: Record<string, number> = { busy: 0, calm: 0 };
  let count = 0;
  for await (const { vm } of mergeEvents(vms)) {
    counts[vm]!++;
    await turns();
    for (const name of ["busy", "calm"]) {
      assert.ok(read[name]! <= counts[name]! + 1, JSON.stringify(read));
    }
    if (++count === 20) break;
  }
  assert.deepEqual(counts, { busy: 10, calm: 10 });
});

test("mergeEvents() aborted or left closes all readers", () =>
  inDirectory(async (directory) => {
    const vms = ["a", "b"].map((name) => fileOf(directory, name));
    for (const { name } of vms) writeFileSync(join(directory, name), event(1));
    const reason = new Error("enough");
    const isReason = (error: unknown): boolean => error === reason;
    const waiting = createCountedSignal();
    const { signal } = waiting;
    const reading = briefly(mergeEvents(vms, { signal }));
    await turns();
    waiting.abort(reason);
    await assert.rejects(reading, isReason);
    await assert.rejects(mergeEvents(vms, { signal }).next(), isReason);
    assert.equal(waiting.listeners, 0);
    await closed(directory);

    // The caller handles an event, and asks for no other one.
    const busy = createCountedSignal();
    const events = mergeEvents(vms, { signal: busy.signal });
    await events.next();
    busy.abort(reason);
    await closed(directory);
    await assert.rejects(events.next(), isReason);

    for await (const _ of mergeEvents(vms)) break;
    await closed(directory);
    const silent = mergeEvents(vms, { from: "now" });
    const next = silent.next();
    await turns();
    await silent.return();
    assert.deepEqual(await next, { done: true, value: undefined });
    await closed(directory);
  }));

test("mergeEvents() refuses a VM without events, and a name that is there", () => {
  const { events } = fileOf("/run", "a");
  const none = { name: "a", events: undefined } as unknown as NamedEvents;
  assert.throws(() => mergeEvents([none]), {
    code: "invalid_request",
    message: /^events: VM "a" has no event monitor/,
  });
  const named = [{ name: "a", events }, { name: "a", events }];
  assert.throws(() => mergeEvents(named), {
    message: 'name: two VMs have the name "a"',
  });
});

test("mergeEvents() of three VMMs ends when all have ended, also by a crash", () =>
  inDirectory(async (directory) => {
    const names = ["a", "b", "c"];
    const [a, b, c] = await Promise.all(
      names.map((name) => faked(directory, { boot: VM }, name)),
    );
    const vms = [a!, b!, c!].map(({ vmm }, index) => ({
      name: names[index]!,
      events: vmm.events!,
    }));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { vm, source, event } of mergeEvents(vms)) {
        seen.push(`${vm} ${source} ${event}`);
      }
    })();
    a!.fake.guest.perform("powerOff");
    await b!.fake.crash();
    await c!.vmm.stop({ timeoutMs: 300 });
    await reading;
    for (const name of names) assert.ok(seen.includes(`${name} vm booted`));
    assert.ok(seen.includes("a vmm shutdown"));
    assert.ok(!seen.includes("b vmm shutdown"));
    assert.ok(seen.includes("c vmm shutdown"));
    await Promise.all([a!, b!, c!].map(({ end }) => end()));
  }));

const SOME = {
  timestamp: { secs: 1, nanos: 0 },
  source: "vm",
  event: "resized",
  properties: null,
} as const;

async function first(directory: string, name: string): Promise<VmmEvent> {
  const events = readEvents(join(directory, name));
  const { value } = await events.next();
  await events.return();
  return value!;
}

/** Resolves when this process has no open file in the directory. */
async function closed(directory: string): Promise<void> {
  const isOpen = (): boolean =>
    readdirSync("/proc/self/fd").some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
      } catch {
        return false;
      }
    });
  for (let count = 0; isOpen(); count++) {
    assert.ok(count < 100, "a file is open");
    await turns();
  }
}
