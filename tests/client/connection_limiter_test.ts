import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionLimiter } from "../../src/client/connection_limiter.ts";

/** Takes slots until one would have to wait. */
function takeAll(slots: ConnectionLimiter, most: number): number[] {
  const taken: number[] = [];
  while (taken.length < most) {
    const controller = new AbortController();
    const slot = slots.acquire(controller.signal);
    if (typeof slot === "number") taken.push(slot);
    else {
      slot.catch(() => {});
      controller.abort();
      break;
    }
  }
  return taken;
}

test("Slots hands out as many as its limit", () => {
  assert.equal(takeAll(new ConnectionLimiter(4), 20).length, 4);
  assert.equal(takeAll(new ConnectionLimiter(9), 20).length, 9);
});

test("Slots serves those who wait in their order", async () => {
  const slots = new ConnectionLimiter(1);
  const first = await slots.acquire(undefined);
  const order: string[] = [];
  const waits = ["a", "b", "c"].map(async (name) => {
    const slot = await slots.acquire(undefined);
    order.push(name);
    slots.release(slot, true);
  });
  slots.release(first, true);
  await Promise.all(waits);
  assert.deepEqual(order, ["a", "b", "c"]);
});

test("Slots counts a closed connection until a later answer came", () => {
  const slots = new ConnectionLimiter(9);
  const old = takeAll(slots, 9);
  for (const slot of old) slots.release(slot, true);
  // None of the nine began after another ended, so all nine still count.
  const [one, ...none] = takeAll(slots, 9);
  assert.deepEqual(none, []);
  // Its answer proves that the nine were noticed; it counts itself.
  slots.release(one!, true);
  assert.equal(takeAll(slots, 20).length, 8);
});

test("Slots learns nothing from a call without an answer", () => {
  const slots = new ConnectionLimiter(9);
  for (const slot of takeAll(slots, 9)) slots.release(slot, true);
  slots.release(takeAll(slots, 1)[0]!, false);
  assert.equal(takeAll(slots, 20).length, 1);
});

test("Slots releases a caller whose signal aborts", async () => {
  const slots = new ConnectionLimiter(1);
  const first = await slots.acquire(undefined);
  const controller = new AbortController();
  const gone = slots.acquire(controller.signal);
  const next = slots.acquire(undefined);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(Promise.resolve(gone), reason);
  slots.release(first, true);
  assert.equal(typeof await next, "number");
});
