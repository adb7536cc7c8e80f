/** Compares the VMs that run with what the engine knows. */
import { placesOf } from "../../examples/fleet/engine.ts";
import type { LocalFleet } from "../../examples/fleet/local.ts";
import { connectVmm, listVmms } from "../../src/process/mod.ts";
import { arrivedVm } from "../../src/workflows/mod.ts";

/**
 * Lists every VM that does not run on exactly the host, and as the run, that
 * the engine knows. An empty list means that all is well.
 */
export async function findFaults(
  fleet: LocalFleet,
  names: readonly string[],
): Promise<string[]> {
  const places = await placesOf(fleet.engine);
  const found = new Map(names.map((name) => [name, [] as string[]]));
  for (const host of fleet.hosts) {
    for (const vmm of await listVmms(`${fleet.directory}/${host}`)) {
      const run = vmm.directory.split("/").at(-1)!;
      const name = run.split(".")[0]!;
      const state = vmm.isAlive
        ? await arrivedVm(await connectVmm(vmm.directory)) ?? "empty"
        : "dead";
      found.set(name, [...found.get(name) ?? [], `${host}/${run} ${state}`]);
    }
  }
  const faults: string[] = [];
  for (const [name, runs] of found) {
    const place = places.find(({ vm }) => vm === name);
    const wanted = place && `${place.host}/${name}.${place.run} Running`;
    if (runs.join() === wanted) continue;
    faults.push(`${name}: [${runs}] in place of [${wanted}]`);
  }
  return faults;
}
