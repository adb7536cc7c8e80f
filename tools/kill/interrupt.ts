/** Ctrl-C ends a simple script of several VMMs at any moment: nothing is left. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { leftovers, temporaryOf } from "./support/leftovers.ts";
import type { KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "interrupt",
  script: new URL("programs/interrupt.ts", import.meta.url),
  signal: "SIGINT",
  async check(work) {
    assert.deepEqual(await leftovers(work), []);
    assert.deepEqual(readdirSync(temporaryOf(work)), []);
  },
};
