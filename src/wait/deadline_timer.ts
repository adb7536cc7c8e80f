/**
 * One timer for all deadlines. A timer of its own would cost each call a tenth
 * of a ping in Deno, though hardly a deadline ever comes.
 */

/** A thing to do at a time. */
export interface ScheduledCallback {
  /** By `performance.now()`. */
  readonly due: number;
  readonly callback: () => void;
}

/** Rings after `ms`, unless it is cleared; does not keep a script alive. */
export function schedule(ms: number, callback: () => void): ScheduledCallback {
  const alarm = { due: performance.now() + ms, callback };
  pending.add(alarm);
  if (alarm.due < next) rearm(alarm.due);
  return alarm;
}

/** The timer goes on: it is the next call's. */
export function unschedule(alarm: ScheduledCallback): void {
  pending.delete(alarm);
}

const pending: Set<ScheduledCallback> = new Set();
/** When the timer ends. */
let next = Infinity;
let timer: AbortSignal | undefined;

// A signal's own method has the timer keep the script alive in Deno.
const { addEventListener, removeEventListener } = EventTarget.prototype;

function rearm(due: number): void {
  if (timer) removeEventListener.call(timer, "abort", runDue);
  next = due;
  // Not setTimeout: what is left of that after a test counts as a leak in Deno.
  const ms = Math.max(Math.ceil(due - performance.now()), 0);
  timer = AbortSignal.timeout(ms);
  addEventListener.call(timer, "abort", runDue);
}

function runDue(): void {
  next = Infinity;
  timer = undefined;
  const now = performance.now();
  const due = [...pending].filter((alarm) => alarm.due <= now)
    .sort((a, b) => a.due - b.due);
  // One that rings may clear another.
  for (const alarm of due) if (pending.delete(alarm)) alarm.callback();
  let first = Infinity;
  for (const alarm of pending) first = Math.min(first, alarm.due);
  if (first < next) rearm(first);
}
