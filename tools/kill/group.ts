/**
 * A script that owns several VMMs is ended at any moment. `parentDeathSignal`
 * ends its VMMs; without that, the next run finds and ends them.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectVmm, listVmms, spawnVmms } from "../../src/process/mod.ts";
import { optionsOf } from "./support/group.ts";
import { processesOf } from "./support/leftovers.ts";
import type { KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "group",
  script: new URL("programs/group.ts", import.meta.url),
  prepare(work) {
    mkdirSync(join(work, "vms"));
    return Promise.resolve();
  },
  async check(work) {
    const vms = join(work, "vms");
    await ended(join(vms, "tied"));
    // The next run, as docs/many.md shows it.
    for (const { directory, isAlive } of await listVmms(vms)) {
      if (isAlive) await (await connectVmm(directory)).kill?.();
    }
    const group = await spawnVmms(optionsOf(work));
    for (const { client } of group.vmms) {
      assert.equal((await client.vm.info()).state, "Running");
    }
    assert.equal(processesOf(`${vms}/`).length, group.vmms.length);
    // Under load, the share of SIGKILL in the time of stop() can be too short.
    await Promise.all(group.vmms.map((vmm) => vmm.kill()));
  },
};

/** The kernel ends processes in the background. */
async function ended(path: string): Promise<void> {
  for (let round = 0; round < 100; round++) {
    if (processesOf(path).length === 0) return;
    await delay(20);
  }
  assert.deepEqual(processesOf(path), []);
}
