/** A script that starts a detached VMM is ended at any moment. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { connectVmm, listVmms, spawnVmm } from "../../src/process/mod.ts";
import { smallVm } from "../../tests/support/vmms.ts";
import { processesOf } from "./support/leftovers.ts";
import { command, type KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "detach",
  script: new URL("programs/detach.ts", import.meta.url),
  prepare(work) {
    mkdirSync(join(work, "vms"));
    return Promise.resolve();
  },
  async check(work) {
    const parent = join(work, "vms");
    const directory = join(parent, "vm0");
    const [before] = (await listVmms(parent)).filter(({ isAlive }) => isAlive);
    const options = {
      command,
      directory,
      detach: true,
      config: smallVm(work, {
        vsock: { cid: 3, socket: join(parent, "vsock") },
      }),
    };
    // The next run, twice at once.
    const [vmm, same] = await Promise.all([
      spawnVmm(options),
      spawnVmm(options),
    ]);
    assert.equal(vmm.pid, same.pid);
    if (before?.pid !== undefined) assert.equal(vmm.pid, before.pid);
    assert.equal((await vmm.client.vm.info()).state, "Running");
    const vmms = processesOf(directory);
    assert.equal(vmms.length, 1, vmms.join("\n"));
    const connected = await connectVmm(directory);
    assert.equal(connected.pid, vmm.pid);
    await connected.kill!();
    await vmm.kill();
    assert.deepEqual(readdirSync(parent), []);
  },
};
