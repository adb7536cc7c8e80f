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
    }, { release, guest: { dropsVcpusAfterMs: 500 } }));
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

for (const accepts of [true, false]) {
  const guest = accepts ? "accepts it" : "does nothing";
  test(`resizeAndWait() waits for memory of virtio-mem from a guest that ${guest}`, () =>
    running(async ({ vmm }) => {
      const { vm } = vmm.client;
      await vm.delete();
      const size = 256 << 20;
      await vm.create({
        ...VM,
        memory: { size, hotplug_method: "VirtioMem", hotplug_size: 512 << 20 },
        balloon: { size: 0 },
      });
      await vm.boot();
      const more = { desired_ram: 512 << 20 };
      if (accepts) {
        const info = await resizeAndWait(vmm, more);
        assert.equal(info.memory_actual_size, 512 << 20);
        const less = await resizeAndWait(vmm, { desired_balloon: 64 << 20 });
        assert.equal(less.memory_actual_size, 448 << 20);
        const both = { desired_ram: 256 << 20, desired_balloon: 0 };
        const { memory_actual_size: actual } = await resizeAndWait(vmm, both);
        assert.equal(actual, 256 << 20);
        return;
      }
      await assert.rejects(resizeAndWait(vmm, more, { timeoutMs: 1500 }), {
        message:
          `VM at "${vmm.socketPath}" is not resized after 1500 ms; the guest has 268435456 of 536870912 bytes; is a driver for virtio-mem loaded?`,
      });
      const balloon = { desired_balloon: 64 << 20 };
      await assert.rejects(resizeAndWait(vmm, balloon, { timeoutMs: 1500 }), {
        message: /is a driver for the balloon loaded\?$/,
      });
    }, { guest: { acceptsMemory: accepts, inflatesBalloon: accepts } }));
}

test("resizeAndWait() returns at once for memory of ACPI", () =>
  running(async ({ vmm }) => {
    const { vm } = vmm.client;
    await vm.delete();
    const memory = { size: 256 << 20, hotplug_size: 512 << 20 };
    await vm.create({ ...VM, memory });
    await vm.boot();
    const info = await resizeAndWait(vmm, { desired_ram: 384 << 20 });
    assert.equal(info.memory_actual_size, 384 << 20);
    await vm.delete();
    await vm.create({ ...VM, memory });
    const created = await resizeAndWait(vmm, { desired_ram: 384 << 20 });
    assert.equal(created.config.memory.size, 384 << 20);
  }));
