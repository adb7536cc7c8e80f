/**
 * A script that handles Ctrl-C itself, by a signal. An abort between the start
 * and a wait loses handles.
 */
import process from "node:process";
import { spawnVmm } from "../../../src/process/mod.ts";
import { waitForState } from "../../../src/workflows/mod.ts";
import { smallVm } from "../../../tests/support/vmms.ts";
import { command } from "../support/scenario.ts";

const [work] = process.argv.slice(2);
const controller = new AbortController();
const { signal } = controller;
process.once("SIGINT", () => controller.abort());
console.log("begin");
try {
  const vmms = await Promise.all(Array.from({ length: 4 }, async () => {
    const vmm = await spawnVmm({
      command,
      config: smallVm(work!),
      onSignal: "ignore",
      signal,
      stopTimeoutMs: 500,
    });
    await waitForState(vmm, "Running", { signal });
    return vmm;
  }));
  await Promise.all(vmms.map((vmm) => vmm.stop({ timeoutMs: 500 })));
} catch (error) {
  if (!signal.aborted) throw error;
}
console.log("done");
