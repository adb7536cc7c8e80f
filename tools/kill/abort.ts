/** An abort by Ctrl-C at any moment ends all VMMs, also those of lost handles. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { leftovers, temporaryOf } from "./support/leftovers.ts";
import type { KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "abort",
  script: new URL("programs/abort.ts", import.meta.url),
  signal: "SIGINT",
  async check(work) {
    assert.deepEqual(await leftovers(work), []);
    assert.deepEqual(readdirSync(temporaryOf(work)), []);
  },
};
