import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseNames } from "../../testing/release.ts";
import { resizeAndWait } from "../../src/workflows/mod.ts";
import { running, VM } from "../support/running_vm.ts";

for (const release of releaseNames) {
  test(`resizeAndWait() waits out vCPUs that are still held on ${release}`, () =>
    running(async ({ vmm }) => {
      const { vm } = vmm.client;
      await vm.delete();
      await vm.create({ ...VM, cpus: { boot_vcpus: 4, max_vcpus: 4 } });
      await vm.boot();
      await vm.resize({ desired_vcpus: 3 });
      await assert.rejects(vm.resize({ desired_vcpus: 2 }), { code: "busy" });
      const info = await resizeAndWait(vmm, { desired_vcpus: 2 });
      assert.equal(info.config.cpus.boot_vcpus, 2);
      // The guest has followed: another number is not refused.
      await vm.resize({ desired_vcpus: 1 });
    }, { release, guest: { dropsVcpusAfterMs: 20 } }));
}

test("resizeAndWait() rejects as the VMM refuses, and after its time", () =>
  running(async ({ vmm }) => {
    await assert.rejects(resizeAndWait(vmm, { desired_vcpus: 9 }), {
      code: "invalid_config",
    });
    const { vm } = vmm.client;
    await vm.delete();
    await vm.create({ ...VM, cpus: { boot_vcpus: 2, max_vcpus: 2 } });
    await vm.boot();
    await assert.rejects(
      resizeAndWait(vmm, { desired_vcpus: 1 }, { timeoutMs: 100 }),
      {
        name: "TimeoutError",
        message:
          `VM at "${vmm.socketPath}" is not resized after 100 ms; last seen: busy; the guest still uses vCPUs that were removed`,
      },
    );
  }));
