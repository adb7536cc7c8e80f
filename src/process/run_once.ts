/** Ends a VMM when its guest reboots or panics. */
import type { Client } from "../client/create_client.ts";
import type { EventReader } from "../events/event.ts";
import { endRequestsOf } from "../vmm/end_request.ts";
import { VmHistory } from "../vmm/vm_history.ts";
import type { Child } from "./child.ts";
import type { SpawnVmmOptions } from "./options.ts";

/** The VMM, and the rules by which it is ended. */
export interface RunOnce {
  readonly child: Child;
  /** The client of the handle. */
  readonly client: Client;
  /** A client whose calls do not count as requests of the script. */
  readonly plain: Client;
  readonly events: EventReader;
  readonly rules: Pick<SpawnVmmOptions, "onReboot" | "onPanic">;
}

/** Returns the cause by which the VMM was ended, as far as it was. */
export function endOnGuestEvents(
  { child, client, plain, events, rules }: RunOnce,
): () => "rebooted" | "panicked" | undefined {
  let cause: "rebooted" | "panicked" | undefined;
  if (rules.onReboot !== "end" && rules.onPanic !== "end") return () => cause;
  const history = new VmHistory();
  void (async () => {
    // From the first event on, so that no reboot can be missed.
    for await (const event of events({ from: "start" })) {
      const { hasRun, hasPanicked } = history;
      history.add(event);
      // A VMM without a VM reports `rebooting` when it refuses `vm.reboot`.
      if (
        rules.onReboot === "end" && event.event === "rebooting" && hasRun
      ) cause = hasPanicked ? "panicked" : "rebooted";
      if (rules.onPanic === "end" && history.hasPanicked) cause = "panicked";
      if (cause === undefined) continue;
      // A guest may reboot while the script stops it.
      if (endRequestsOf(client).length > 0) cause = undefined;
      else return end(plain, child);
    }
  })().catch(() => {
    // The VMM has ended, or its events cannot be read any more.
  });
  return () => cause;
}

/**
 * A VMM that reboots its VM obeys when the VM has booted again. The images of
 * disks are closed in order, which SIGKILL would not do.
 */
function end({ vmm }: Client, child: Child): void {
  const timer = setTimeout(() => child.signal("SIGKILL"), GRACE_MS);
  void child.exited.then(() => clearTimeout(timer));
  vmm.shutdown({ timeoutMs: GRACE_MS }).catch(() => {
    // The timer ends a VMM that does not obey.
  });
}

const GRACE_MS = 2000;
