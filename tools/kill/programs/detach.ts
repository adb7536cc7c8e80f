/** A script that starts a detached VMM and its VM. */
import process from "node:process";
import { join } from "node:path";
import { spawnVmm } from "../../../src/process/mod.ts";
import { smallVm } from "../../../tests/support/vmms.ts";
import { command } from "../support/scenario.ts";

const [work] = process.argv.slice(2);
console.log("begin");
await spawnVmm({
  command,
  directory: join(work!, "vms/vm0"),
  detach: true,
  config: smallVm(work!, {
    vsock: { cid: 3, socket: join(work!, "vms/vsock") },
  }),
});
console.log("done");
