// Runs with `deno test -A`, `bun test` and `node --test`. Takes the fake.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeVmm } from "@chv/cloud-hypervisor/testing";
import { bootVm } from "./boot.ts";

test("bootVm() boots a VM", async () => {
  const vmm = await FakeVmm.start({ files: "any" });
  await bootVm(vmm.socketPath, "/var/lib/vm0.raw");
  assert.ok(vmm.events.some(({ event }) => event === "booted"));
  await vmm.close();
});

test("bootVm() deletes the VM when the boot fails", async () => {
  const vmm = await FakeVmm.start({ files: "any" });
  const chain = ["Error from API", "The VM could not boot", "No such device"];
  vmm.injectFault({ operation: "vm.boot", fault: { status: 500, chain } });
  await assert.rejects(bootVm(vmm.socketPath, "/a.raw"), { code: "other" });
  assert.equal(vmm.requests.at(-1)?.path, "/api/v1/vm.delete");
  await vmm.close();
});
