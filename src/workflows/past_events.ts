/** The past of a VM, as far as the events of its VMM tell. */
import type { Vmm } from "../vmm/vmm.ts";

/** The position behind the last event; undefined without a monitor. */
export async function lastEventOffset(vmm: Vmm): Promise<number | undefined> {
  if (vmm.events === undefined) return undefined;
  let last = 0;
  for await (const { offset } of eventsSoFar(vmm, "start")) last = offset;
  return last;
}

/** Tells whether a paused VM has run since an event. */
export function hasRunSince(
  vmm: Vmm,
  eventsOffset: number | undefined,
): Promise<boolean> {
  return hasEvent(vmm, eventsOffset, RUNS);
}

/** Tells whether the VMM has begun another VM since an event. */
export function isAnotherVmSince(
  vmm: Vmm,
  eventsOffset: number | undefined,
): Promise<boolean> {
  return hasEvent(vmm, eventsOffset, BEGINS);
}

async function hasEvent(
  vmm: Vmm,
  eventsOffset: number | undefined,
  names: ReadonlySet<string>,
): Promise<boolean> {
  if (eventsOffset === undefined || vmm.events === undefined) return false;
  for await (const { source, event } of eventsSoFar(vmm, eventsOffset)) {
    if (source === "vm" && names.has(event)) return true;
  }
  return false;
}

function eventsSoFar(
  { events }: Vmm,
  from: "start" | number,
): ReturnType<NonNullable<Vmm["events"]>> {
  return events!({ from, ended: Promise.resolve() });
}

/** A shutdown or a reboot begins no other VM. */
const BEGINS: ReadonlySet<string> = new Set(["deleted", "restored"]);
const RUNS: ReadonlySet<string> = new Set([...BEGINS, "booted", "resumed"]);
