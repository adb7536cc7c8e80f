/** Takes two snapshots of the VM in the work directory. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { connectVmm } from "../../../src/process/mod.ts";
import { snapshotVm } from "../../../src/workflows/mod.ts";

const work = process.argv[2]!;
const vmm = await connectVmm(join(work, "vm0", "api.sock"), {
  eventsPath: join(work, "vm0", "events"),
});
console.log("begin");
/** A copy that takes a while, so that SIGKILL often comes during a pause. */
const whilePaused = async (directory: string) => {
  cpSync(join(work, "disk.raw"), join(directory, "disk.raw"));
  await delay(100);
};
await snapshotVm(vmm, join(work, "first"), { whilePaused });
await snapshotVm(vmm.client, join(work, "second"), { whilePaused });
console.log("done");
