import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseNames } from "../../testing/release.ts";
import { removeDeviceAndWait } from "../../src/workflows/mod.ts";
import { running } from "../support/running_vm.ts";

for (const release of releaseNames) {
  test(`removeDeviceAndWait() frees the id on ${release}`, () =>
    running(async ({ vmm }) => {
      const { vm } = vmm.client;
      const disk = { id: "d", path: "/a.raw" };
      for (const events of [vmm.events, undefined]) {
        await vm.addDisk(disk);
        await removeDeviceAndWait({ client: vmm.client, events }, "d");
      }
      await vm.addDisk(disk);
      await assert.rejects(removeDeviceAndWait(vmm, "nope"), {
        code: "unknown_device",
      });
    }, { release, guest: { releasesDeviceAfterMs: 20 } }));
}
