/** The options of a group: half of its VMMs die with the script. */
import { join } from "node:path";
import type { GroupVmmOptions } from "../../../src/process/mod.ts";
import { smallVm } from "../../../tests/support/vmms.ts";
import { command } from "./scenario.ts";

const NAMES = ["free0", "free1", "tied0", "tied1"];

export function optionsOf(work: string): Record<string, GroupVmmOptions> {
  const vms = join(work, "vms");
  return Object.fromEntries(NAMES.map((name) => [name, {
    command,
    directory: join(vms, name),
    config: smallVm(work, {
      vsock: { cid: 3, socket: join(vms, `${name}.vsock`) },
    }),
    parentDeathSignal: name.startsWith("tied"),
    stopTimeoutMs: 500,
  }]));
}
