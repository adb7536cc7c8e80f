/** VMs that run once: the end of the guest is the end of the VMM. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { guestElf } from "../../examples/guest.ts";
import {
  spawnVmm,
  type SpawnVmmOptions,
  type VmEnd,
  type VmmProcess,
} from "../../src/process/mod.ts";
import { waitForEnd } from "../../src/workflows/mod.ts";
import { fakeProgram } from "../../testing/mod.ts";
import { LOSES_OUTPUT, spawners, waitForPrompt } from "../guest/support.ts";
import { inDirectory, programs, smallVm } from "../support/vmms.ts";

const wait = { timeoutMs: 20_000 };
const PROMPT = "guest login: ";
const ONCE = { onReboot: "end", onPanic: "end" } as const;

/** Commands for the guest, and the end that they cause. */
const ENDS: readonly [
  commands: string,
  rules: SpawnVmmOptions,
  end: string,
][] = [
  ["reset", ONCE, "rebooted guest"],
  ["panic", ONCE, "panicked guest"],
  ["panic reset", { onReboot: "end" }, "panicked guest"],
  ["off", ONCE, "powered-off guest"],
];

for (const { name, test, testSince, program, kernel } of spawners) {
  const start = (options: SpawnVmmOptions): Promise<VmmProcess> =>
    spawnVmm({
      ...program,
      console: true,
      ...options,
      config: {
        payload: { kernel: kernel() },
        cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
        memory: { size: 64 << 20 },
        console: { mode: "Off" },
        pvpanic: true,
      },
    });

  test(`${name}: a guest that ends is reported with the cause`, async () => {
    for (const [commands, rules, end] of ENDS) {
      const vmm = await start(rules);
      try {
        for (const command of commands.split(" ")) {
          await waitForPrompt(vmm.console!);
          await vmm.console!.write(`${command}\r`);
        }
        const result = await waitForEnd(vmm, wait);
        assert.equal(brief(result), end, commands);
        assert.equal(result.exit.exitCode, 0, commands);
        assert.equal((await vmm.stop()).step, "already");
      } finally {
        await vmm.kill();
      }
      assert.equal(brief(await vmm.ended), end, commands);
      vmm.client.close();
    }
  });

  testSince(53, LOSES_OUTPUT)(
    `${name}: a guest that reboots goes on by default`,
    async () => {
      const vmm = await start({});
      const events = namesOf(vmm);
      try {
        for (const command of ["reset", "panic", "reset", "off"]) {
          await vmm.console!.waitFor(PROMPT, wait);
          await vmm.console!.write(`${command}\r`);
        }
        assert.equal(brief(await vmm.ended), "powered-off guest");
        assert.deepEqual(await events, EVENTS);
      } finally {
        await vmm.kill();
      }
      vmm.client.close();
    },
  );

  test(`${name}: a VMM that somebody kills is reported`, async () => {
    const vmm = await start(ONCE);
    process.kill(vmm.pid, "SIGKILL");
    assert.equal(brief(await vmm.ended), "killed other");
    await vmm.kill();
    vmm.client.close();
  });
}

/** The events of the guest's actions; the fake reports what a real VMM does. */
const EVENTS = [
  ["vmm starting", null],
  ["vm booting", null],
  ["vm booted", null],
  ["vm rebooting", null],
  ["vm rebooted", null],
  ["guest panic", { event: "panic" }],
  ["vm rebooting", null],
  ["vm rebooted", null],
  ["vm shutdown", null],
  ["vm deleted", null],
  ["vmm shutdown", null],
];

async function namesOf({ events }: VmmProcess): Promise<unknown[]> {
  const names = [];
  for await (const { source, event, properties } of events()) {
    names.push([`${source} ${event}`, properties]);
  }
  return names;
}

for (const { name, test, command } of programs) {
  test(`${name}: a guest may power off before the script reads`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory);
      const { kernel } = config.payload as { kernel: string };
      writeFileSync(kernel, guestElf("bye", "power off"));
      const fake = fakeProgram({ files: "any", guest: { endsAfterMs: 0 } });
      for (let round = 0; round < 3; round++) {
        const vmm = await spawnVmm({
          command,
          env: fake.env,
          config,
          ...ONCE,
          directory: join(directory, "vmm"),
        });
        assert.equal(brief(await vmm.ended), "powered-off guest");
        await vmm.stop();
        vmm.client.close();
      }
    }));

  test(`${name}: the script's own requests are reported as such`, () =>
    inDirectory(async (directory) => {
      const start = (): Promise<VmmProcess> =>
        spawnVmm({
          command,
          env: { FAKE_VMM_FILES: "any" },
          config: smallVm(directory),
          ...ONCE,
        });
      const killed = await start();
      await killed.kill();
      assert.equal(brief(await killed.ended), "killed script");
      const asked = await start();
      await asked.client.vm.shutdown();
      await asked.client.vmm.shutdown();
      assert.equal(brief(await waitForEnd(asked, wait)), "stopped script");
      await asked.stop();
      const rebooted = await start();
      await rebooted.client.vm.reboot();
      assert.equal(brief(await rebooted.ended), "rebooted guest");
      await rebooted.stop();
    }));
}

function brief({ cause, by }: VmEnd): string {
  return `${cause} ${by}`;
}
