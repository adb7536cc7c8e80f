import assert from "node:assert/strict";
import { test } from "node:test";
import { onSettled } from "../../src/wait/on_settled.ts";

test("onSettled() tells each listener once, early or late", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const told: unknown[] = [];
  onSettled(promise, (value) => told.push(["early", value]));
  const leave = onSettled(promise, (value) => told.push(["left", value]));
  leave();
  resolve(7);
  await promise;
  onSettled(promise, (value) => told.push(["late", value]));
  onSettled(promise, (value) => told.push(["left", value]))();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(told, [["early", 7], ["late", 7]]);
});

test("onSettled() takes a rejection for an end", async () => {
  const value = await new Promise((resolve) =>
    onSettled(Promise.reject(new Error("on purpose")), resolve)
  );
  assert.equal(value, undefined);
});
