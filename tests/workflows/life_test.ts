/** All workflows on one VM: with the fake VMM, and with a real one. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApiError } from "../../mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import {
  removeDeviceAndWait,
  replaceConfig,
  resizeAndWait,
  restoreVm,
  snapshotVm,
  waitForDeviceRemoved,
  waitForEvent,
  waitForState,
} from "../../src/workflows/mod.ts";
import { inDirectory, programs, smallVm, sparse } from "../support/vmms.ts";

for (const { name, command, test } of programs) {
  test(`a VM of ${name} goes through all workflows`, () =>
    inDirectory(async (directory) => {
      const image = { image_type: "Raw" } as const;
      const config = smallVm(directory, {
        disks: [{ path: sparse(join(directory, "a")), ...image }],
      });
      const vmm = await spawnVmm({ command, config });
      const { vm } = vmm.client;
      const paused = waitForEvent(vmm, { source: "vm", event: "paused" });

      const { config: resized } = await resizeAndWait(vmm, {
        desired_vcpus: 2,
      });
      assert.equal(resized.cpus.boot_vcpus, 2);
      // The guest never releases a vCPU.
      await assert.rejects(
        resizeAndWait(vmm, { desired_vcpus: 1 }, { timeoutMs: 200 }),
        { code: "deadline" },
      );

      await vm.addDisk({
        id: "more",
        path: sparse(join(directory, "b")),
        ...image,
      });
      // The guest never releases a disk either.
      await assert.rejects(
        removeDeviceAndWait(vmm, "more", { timeoutMs: 200 }),
        { code: "deadline" },
      );

      const target = join(directory, "snapshot");
      if (await hostCanSnapshot(() => snapshotVm(vmm, target))) {
        assert.equal((await waitForState(vmm, "Running")).state, "Running");
        await vm.delete();
        assert.equal((await restoreVm(vmm, target)).state, "Running");
        await assert.rejects(snapshotVm(vmm, target), {
          code: "invalid_request",
        });
      } else {
        assert.equal((await waitForState(vmm, "Running")).state, "Running");
        assert.ok(!readdirSync(directory).includes("snapshot"));
      }
      assert.equal((await paused).event, "paused");

      const kernel = join(directory, "broken.elf");
      writeFileSync(kernel, "no kernel");
      await assert.rejects(
        replaceConfig(vmm, { ...config, payload: { kernel } }),
        { operation: "vm.boot" },
      );
      assert.equal((await vm.info()).state, "Running");
      const memory = { size: 128 << 20 };
      const info = await replaceConfig(vmm, { ...config, memory });
      assert.equal(info.config.memory.size, 128 << 20);
      await vm.shutdown();
      await waitForDeviceRemoved(vmm, "_disk0");
      assert.deepEqual(await vmm.stop(), {
        step: "vmm.shutdown",
        graceful: true,
      });
    }));
}

/** Tells whether the host can save the state of a CPU. */
async function hostCanSnapshot(take: () => Promise<unknown>): Promise<boolean> {
  try {
    await take();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert.match(error.messages.join(), /GetNestedState/);
    return false;
  }
}
