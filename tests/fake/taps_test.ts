/** Network interfaces that several fakes of one process open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, type NetConfig } from "../../mod.ts";
import { FakeVmm } from "../../testing/mod.ts";

function bootWith(net: NetConfig): Promise<FakeVmm> {
  const payload = { kernel: "/boot/vmlinux" };
  const cpus = { boot_vcpus: 2, max_vcpus: 2 };
  return FakeVmm.start({ files: "any", boot: { payload, cpus, net: [net] } });
}

test("a tap that another fake uses is busy, until that fake releases it", async () => {
  const tap = "test-tap0";
  await using first = await bootWith({ tap });
  await assert.rejects(bootWith({ tap }), {
    message:
      /Failed to open taps: Open tap device failed: Unable to configure tap interface: Device or resource busy \(os error 16\)$/,
  });
  await (await bootWith({ tap: "test-tap1" })).close();
  await createClient(first.socketPath).vm.delete();
  const second = await bootWith({ tap });
  // A process that dies loses its taps.
  await second.crash();
  await using _third = await bootWith({ tap });
  await second.close();
});

test("fakes share a tap of several queues", async () => {
  const net = { tap: "test-tap2", num_queues: 4 };
  const first = await bootWith(net);
  await using _second = await bootWith(net);
  await first.close();
  // The second fake still uses the tap.
  const single = bootWith({ tap: net.tap });
  await assert.rejects(single, { message: /multiqueue support/ });
});
