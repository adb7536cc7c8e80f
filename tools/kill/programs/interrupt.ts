/** The first script that comes to mind for several VMs: it keeps no handle. */
import process from "node:process";
import { spawnVmm } from "../../../src/process/mod.ts";
import { waitForState } from "../../../src/workflows/mod.ts";
import { smallVm } from "../../../tests/support/vmms.ts";
import { command } from "../support/scenario.ts";

const [work] = process.argv.slice(2);
console.log("begin");
const vmms = await Promise.all(
  Array.from({ length: 4 }, async (_, index) => {
    const vmm = await spawnVmm({
      command,
      config: smallVm(work!),
      onSignal: index % 2 === 0 ? "kill" : "stop",
      stopTimeoutMs: 500,
    });
    await waitForState(vmm, "Running");
    return vmm;
  }),
);
await Promise.all(vmms.map((vmm) => vmm.stop({ timeoutMs: 500 })));
console.log("done");
