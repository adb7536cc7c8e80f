/** A script that clones a VM is ended at any moment. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { spawnVmm } from "../../src/process/mod.ts";
import { cloneSnapshot, snapshotVm } from "../../src/workflows/mod.ts";
import { smallVm, sparse } from "../../tests/support/vmms.ts";
import { startClones } from "./support/clones.ts";
import { command, type KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "clone",
  script: new URL("programs/clone.ts", import.meta.url),

  async prepare(work) {
    mkdirSync(join(work, "vms"));
    const vmm = await spawnVmm({
      command,
      directory: join(work, "source"),
      config: smallVm(work, {
        disks: [{ path: sparse(join(work, "disk.raw")), image_type: "Raw" }],
        serial: { mode: "Socket", socket: join(work, "source/serial.sock") },
        vsock: { cid: 3, socket: join(work, "source/vsock.sock") },
      }),
    });
    try {
      await snapshotVm(vmm, join(work, "snapshot"));
    } finally {
      await vmm.kill();
    }
  },

  async check(work) {
    const snapshot = join(work, "snapshot");
    const files = readdirSync(snapshot);
    const vmms = await startClones(work);
    try {
      for (const { client, directory } of vmms) {
        const { config, state } = await client.vm.info();
        assert.equal(state, "Running");
        assert.equal(config.vsock!.socket, join(directory, "vsock.sock"));
        const left = readdirSync(directory)
          .filter((name) => name.startsWith("chv-restore-"));
        // The next restore in the directory removes it, and the end of the VMM.
        assert.ok(left.length <= 1, `${left}`);
      }
      // The next run with this target removes what is left there.
      (await cloneSnapshot(snapshot, join(work, "clone"), () => {})).remove();
      assert.ok(!readdirSync(work).includes("clone"));
      assert.deepEqual(readdirSync(snapshot), files);
    } finally {
      for (const vmm of vmms) await vmm.kill();
    }
    assert.deepEqual(readdirSync(join(work, "vms")), []);
  },
};
