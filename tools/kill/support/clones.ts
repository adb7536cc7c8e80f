/** The script of the scenario "clone", which each run repeats. */
import { join } from "node:path";
import { spawnVmm, type VmmProcess } from "../../../src/process/mod.ts";
import {
  cloneSnapshot,
  ownPaths,
  restoreVm,
} from "../../../src/workflows/mod.ts";
import { sparse } from "../../../tests/support/vmms.ts";
import { command } from "./scenario.ts";

/** Restores two clones of the snapshot, unless they run. */
export async function startClones(work: string): Promise<VmmProcess[]> {
  const snapshot = join(work, "snapshot");
  const vmms: VmmProcess[] = [];
  for (const name of ["vm0", "vm1"]) {
    const directory = join(work, "vms", name);
    const vmm = await spawnVmm({ command, directory, detach: true });
    vmms.push(vmm);
    if (await hasVm(vmm)) continue;
    const own = sparse(join(work, `${name}.raw`));
    const edit = ownPaths(directory, {
      disks: { [join(work, "disk.raw")]: own },
    });
    if (name === "vm0") {
      await restoreVm(vmm, snapshot, { config: edit });
    } else {
      const clone = await cloneSnapshot(snapshot, join(work, "clone"), edit);
      await clone.restore(vmm);
      clone.remove();
    }
  }
  return vmms;
}

async function hasVm({ client }: VmmProcess): Promise<boolean> {
  const info = await client.vm.info().catch((error) => {
    if (error.code !== "not_created") throw error;
  });
  return info !== undefined;
}
