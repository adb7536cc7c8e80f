/** The end of a VM whose VMM another program started. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { VmmEvent } from "../../src/events/mod.ts";
import { endOf } from "../../src/vmm/vm_end.ts";
import { VmHistory } from "../../src/vmm/vm_history.ts";
import { waitForEnd } from "../../src/workflows/mod.ts";
import type { FakeVmm } from "../../testing/mod.ts";
import { running, VM } from "../support/running_vm.ts";

/** Ends of a VM, and the cause and the side that are found. */
const ENDS: readonly [
  name: string,
  end: (fake: FakeVmm) => unknown,
  cause: string,
  by: string,
][] = [
  [
    "the guest powers off",
    ({ guest }) => guest.perform("powerOff"),
    "powered-off",
    "guest",
  ],
  [
    "the guest panics, and powers off",
    ({ guest }) => {
      guest.perform("panic");
      guest.perform("powerOff");
    },
    "panicked",
    "guest",
  ],
  [
    "the guest panics, reboots, and powers off",
    ({ guest }) => {
      guest.perform("panic");
      guest.perform("reboot");
      guest.perform("reboot");
      guest.perform("powerOff");
    },
    "powered-off",
    "guest",
  ],
  ["the VMM is killed", (fake) => fake.crash(), "killed", "other"],
];

for (const [name, end, cause, by] of ENDS) {
  test(`waitForEnd() where ${name}`, () =>
    running(
      async ({ vmm, fake }) => {
        await vmm.client.vm.create({ ...VM, pvpanic: true });
        await vmm.client.vm.boot();
        const waiting = waitForEnd(vmm);
        end(fake);
        const { stderr: _, ...exit } = (await waiting).exit;
        assert.deepEqual(exit, { exitCode: null, signal: null });
        assert.deepEqual(brief(await waiting), [cause, by, undefined]);
        // The events are there after the end as well.
        assert.deepEqual(brief(await waitForEnd(vmm)), [cause, by, undefined]);
      },
      {},
      false,
    ));
}

test("waitForEnd() where the script stops the VMM", () =>
  running(async ({ vmm }) => {
    const waiting = waitForEnd(vmm);
    await vmm.stop({ timeoutMs: 300 });
    assert.deepEqual(brief(await waiting), [
      "stopped",
      "script",
      "vmm.shutdown",
    ]);
  }));

test("waitForEnd() where the guest obeys the power button", () =>
  running(async ({ vmm }) => {
    const waiting = waitForEnd(vmm);
    await vmm.stop();
    assert.deepEqual(brief(await waiting), [
      "powered-off",
      "script",
      "power-button",
    ]);
  }, { guest: { powersOffAfterMs: 1 } }));

test("waitForEnd() without events finds no cause", () =>
  running(async ({ vmm: { client }, fake }) => {
    const waiting = waitForEnd(client);
    fake.guest.perform("powerOff");
    assert.deepEqual(brief(await waiting), ["unknown", "other", undefined]);
  }));

test("waitForEnd() of a VMM without a VM", () =>
  running(
    async ({ vmm, fake }) => {
      const waiting = waitForEnd(vmm);
      await fake.terminate();
      assert.deepEqual(brief(await waiting), ["stopped", "other", undefined]);
    },
    {},
    false,
  ));

test("waitForEnd() times out", () =>
  running(async ({ vmm }) => {
    await assert.rejects(waitForEnd(vmm, { timeoutMs: 20 }), {
      code: "deadline",
      message: /^VMM at ".*" has not ended after 20 ms$/,
    });
  }));

test("a guest that powers off is found where the VMM lost its last events", () => {
  const exit = { exitCode: 0, signal: null, stderr: "" };
  const events = ["booting", "booted", "shutdown", "deleted"];
  for (let kept = 1; kept <= events.length; kept++) {
    const history = new VmHistory();
    for (const event of events.slice(0, kept)) {
      const timestamp = { secs: 1, nanos: 0 };
      const part = { timestamp, source: "vm", event, properties: null };
      history.add({ ...part, offset: 0 } as VmmEvent);
    }
    const { cause, by } = endOf({ exit, history, requests: [] });
    assert.deepEqual([cause, by], ["powered-off", "guest"], `${kept}`);
  }
});

function brief(
  { cause, by, step }: Awaited<ReturnType<typeof waitForEnd>>,
): unknown[] {
  return [cause, by, step];
}
