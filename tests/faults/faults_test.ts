/** The effect of a broken server on a call: one table for all runtimes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Case } from "./case.ts";
import { bodies } from "./bodies.ts";
import { connections } from "./connect.ts";
import { cuts, silences } from "./cuts.ts";
import { endless } from "./endless.ts";
import { framing } from "./framing.ts";
import { headers } from "./headers.ts";
import { perform } from "./perform.ts";
import { slowness } from "./slow.ts";
import { statuses } from "./statuses.ts";
import { versions } from "./versions.ts";
import { files, timersLeft } from "./watch.ts";

const TABLES: { readonly [what: string]: readonly Case[] } = {
  "a cut connection": cuts,
  "a silent one": silences,
  "a broken request": connections,
  "a slow answer": slowness,
  "an odd frame": framing,
  "an odd version": versions,
  "odd headers": headers,
  "an odd body": bodies,
  "any status": statuses,
  "an answer without end": endless,
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
