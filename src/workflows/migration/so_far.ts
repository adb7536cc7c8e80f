/** The events that both sides of a migration have reported so far. */
import type { VmmEvent } from "../../events/mod.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { EndingTrace, outcomeOf } from "./outcome.ts";

/** The migrations that a source has reported. */
export interface SentSoFar {
  /** The position behind the last event; undefined without events. */
  readonly offset?: number | undefined;
  /** The position before the migration that is under way. */
  readonly underWay?: number | undefined;
  /** The outcome of the last migration. */
  readonly outcome?: "moved" | "stayed" | undefined;
  /** The VMM has ended as after a migration; see {@linkcode EndingTrace}. */
  readonly looksMoved: boolean;
}

/** Reads the events of a source, up to now. */
export async function readSentSoFar(
  vmm: Vmm,
  since: number | undefined,
  signal: AbortSignal,
): Promise<SentSoFar> {
  let offset = since;
  let underWay: number | undefined;
  let outcome: SentSoFar["outcome"];
  const trace = new EndingTrace();
  for await (const event of eventsSoFar(vmm, since, signal)) {
    trace.add(event);
    if (event.source === "vm" && event.event === "migration-started") {
      underWay = offset ?? 0;
    }
    outcome = outcomeOf(event) ?? outcome;
    if (outcomeOf(event) !== undefined) underWay = undefined;
    offset = event.offset;
  }
  return { offset, underWay, outcome, looksMoved: trace.looksMoved };
}

/** The last stage of receiving a VM; `none` if the VM came in another way. */
export type ReceivingStage =
  | "none"
  | "ready"
  | "started"
  | "finished"
  | "failed";

/** Reads the events of a destination, up to now. */
export async function readReceivingStage(
  vmm: Vmm,
  signal: AbortSignal,
): Promise<ReceivingStage> {
  let stage: ReceivingStage = "none";
  for await (const { source, event } of eventsSoFar(vmm, undefined, signal)) {
    if (source === "vm") stage = STAGES[event] ?? stage;
  }
  return stage;
}

/** The events after which a VM is another one than the VM that was received. */
const STAGES: { readonly [event: string]: ReceivingStage } = {
  "migration-receive-ready": "ready",
  "migration-receive-started": "started",
  "migration-receive-finished": "finished",
  "migration-receive-failed": "failed",
  booting: "none",
  deleted: "none",
};

function eventsSoFar(
  { events }: Vmm,
  since: number | undefined,
  signal: AbortSignal,
): AsyncIterable<VmmEvent> {
  const ended = Promise.resolve();
  return events?.({ from: since ?? "start", ended, signal }) ?? none();
}

async function* none(): AsyncGenerator<VmmEvent> {}
