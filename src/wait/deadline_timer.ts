/**
 * One timer for all deadlines. In Deno, a timer for each call would cost a
 * tenth of a ping, and hardly any deadline passes.
 */

/** A function that is called at a time. */
export interface ScheduledCallback {
  /** By `performance.now()`. */
  readonly due: number;
  readonly callback: () => void;
}

/** Calls back after `ms`, unless unscheduled; does not keep a script alive. */
export function schedule(ms: number, callback: () => void): ScheduledCallback {
  const entry = { due: performance.now() + ms, callback };
  pending.add(entry);
  if (entry.due < next) rearm(entry.due);
  return entry;
}

/** Leaves the shared timer armed; the next call may reuse it. */
export function unschedule(entry: ScheduledCallback): void {
  pending.delete(entry);
}

const pending: Set<ScheduledCallback> = new Set();
/** The time at which the timer ends. */
let next = Infinity;
let timer: AbortSignal | undefined;

// With the signal's own method, the timer keeps a Deno script alive.
const { addEventListener, removeEventListener } = EventTarget.prototype;

function rearm(due: number): void {
  if (timer) removeEventListener.call(timer, "abort", runDue);
  next = due;
  // Not setTimeout: Deno counts a timer that outlives its test as a leak.
  const ms = Math.max(Math.ceil(due - performance.now()), 0);
  timer = AbortSignal.timeout(ms);
  addEventListener.call(timer, "abort", runDue);
}

function runDue(): void {
  next = Infinity;
  timer = undefined;
  const now = performance.now();
  const due = [...pending].filter((entry) => entry.due <= now)
    .sort((a, b) => a.due - b.due);
  // A callback may unschedule another one.
  for (const entry of due) if (pending.delete(entry)) entry.callback();
  let first = Infinity;
  for (const entry of pending) first = Math.min(first, entry.due);
  if (first < next) rearm(first);
}
