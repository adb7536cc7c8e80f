/** Fifty VMMs at once, none lost. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import { isRunning } from "../support/vmms.ts";

const COUNT = 50;

test(`spawnVmm() owns ${COUNT} VMMs at once`, async () => {
  const command = fakeCommand();
  const vmms = await Promise.all(
    Array.from({ length: COUNT }, async (_, index) => {
      const start = performance.now();
      const vmm = await spawnVmm({
        command,
        env: { FAKE_VMM_FILES: "any" },
        config: {
          payload: { kernel: `/boot/${index}` },
        },
      });
      return { vmm, ms: performance.now() - start };
    }),
  );
  const infos = await Promise.all(vmms.map(({ vmm }) => vmm.client.vm.info()));
  assert.deepEqual(
    infos.map(({ config }) => config.payload?.kernel),
    vmms.map((_, index) => `/boot/${index}`),
  );
  assert.ok(infos.every(({ state }) => state === "Running"));
  const times = vmms.map(({ ms }) => ms);
  const memory = vmms.map(({ vmm }) => rss(vmm.pid));
  await Promise.all(vmms.map(({ vmm }) => vmm.client.vm.delete()));
  const stops = await Promise.all(vmms.map(({ vmm }) => vmm.stop()));
  assert.ok(stops.every(({ step }) => step === "vmm.shutdown"));
  assert.ok(vmms.every(({ vmm }) => !isRunning(vmm.pid)));
  console.log(
    `${COUNT} VMMs: ready and booted after ${range(times)} ms, ` +
      `with ${range(memory)} MiB each`,
  );
});

function rss(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
}

function range(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map(Math.round);
  return `${sorted[0]} to ${sorted.at(-1)}`;
}
