/** A script that takes snapshots of a VM is ended at any moment. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import { restoreVm, snapshotVm } from "../../src/workflows/mod.ts";
import { smallVm, sparse } from "../../tests/support/vmms.ts";
import { command, type KillScenario } from "./support/scenario.ts";

/** The VMMs, which outlive the script, by their work directories. */
const vmms = new Map<string, VmmProcess>();
let rounds = 0;

/** Every second VM is paused by its user, and every fourth run is another one. */
const isPausedByUser = (): boolean => rounds % 2 === 0;
const nextTarget = (): string => rounds % 4 < 2 ? "first" : "another";

export const scenario: KillScenario = {
  name: "snapshot",
  script: new URL("programs/snapshot.ts", import.meta.url),
  async prepare(work) {
    rounds++;
    sparse(join(work, "disk.raw"));
    const vmm = await spawnVmm({
      command,
      directory: join(work, "vm0"),
      config: smallVm(work),
    });
    vmms.set(work, vmm);
    if (isPausedByUser()) await vmm.client.vm.pause();
  },
  async check(work) {
    const vmm = vmms.get(work)!;
    const { vm } = vmm.client;
    try {
      const targets = ["second", nextTarget()].map((name) => join(work, name));
      for (const target of targets) await snapshotVm(vmm, target);
      const expected = isPausedByUser() ? "Paused" : "Running";
      assert.equal((await vm.info()).state, expected);
      const own = readdirSync(work).filter((name) => /\./.test(name));
      assert.deepEqual(own.sort(), ["disk.raw", "guest.elf"]);
      assert.ok(!readdirSync(join(work, "vm0")).includes("api.sock.workflow"));
      await vm.delete();
      for (const target of targets) {
        await restoreVm(vmm, target);
        await vm.delete();
      }
    } finally {
      vmms.delete(work);
      await vmm.kill();
    }
  },
};
