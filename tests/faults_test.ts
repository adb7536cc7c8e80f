/**
 * What a broken server does to a call: one table for all runtimes. The tables
 * are sampled by `FAULTS=<stride>`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Case } from "./faults/case.ts";
import { cuts, silences } from "./faults/cuts.ts";
import { perform } from "./faults/perform.ts";
import { files, timersLeft } from "./faults/watch.ts";

const TABLES: { readonly [what: string]: readonly Case[] } = {
  "a cut connection": cuts,
  "a silent one": silences,
};

for (const [what, cases] of Object.entries(TABLES)) {
  test(`a call survives ${what}`, async () => {
    // The first uses of a socket open what the runtime then keeps.
    await perform(cases.slice(0, 1));
    const before = files();
    const timers = await timersLeft(async () => {
      assert.deepEqual(await perform(cases), []);
    });
    assert.equal(timers, 0);
    assert.ok(files() <= before, `${files()} files, ${before} before`);
  });
}
