/** The console on the handle of `spawnVmm`. */
import assert from "node:assert/strict";
import { spawnVmm } from "../../src/process/mod.ts";
import { LOSES_OUTPUT, spawners } from "./support.ts";

const wait = { timeoutMs: 20_000 };
const PROMPT = "guest login: ";

for (const { name, testSince, program, kernel } of spawners) {
  testSince(53, LOSES_OUTPUT)(
    `${name}: spawnVmm({ console: true }) gives the console of the boot`,
    async () => {
      const vmm = await spawnVmm({
        ...program,
        console: true,
        config: {
          payload: { kernel: kernel() },
          cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
          memory: { size: 64 << 20 },
          console: { mode: "Off" },
        },
      });
      try {
        await vmm.console!.waitFor(PROMPT, wait);
        assert.match(vmm.console!.transcript, /^micro guest\r\n/);
        assert.equal(
          await vmm.console!.run("echo one", { prompt: PROMPT, ...wait }),
          "one",
        );
      } finally {
        await vmm.kill();
      }
      await vmm.console!.closed;
      vmm.client.close();
    },
  );
}
