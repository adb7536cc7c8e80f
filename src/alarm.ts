/**
 * One timer for all deadlines. A timer of its own would cost each call a tenth
 * of a ping in Deno, though hardly a deadline ever comes.
 */

/** A thing to do at a time. */
export interface Alarm {
  /** By `performance.now()`. */
  readonly due: number;
  readonly ring: () => void;
}

/** Rings after `ms`, unless it is cleared. */
export function setAlarm(ms: number, ring: () => void): Alarm {
  const alarm = { due: performance.now() + ms, ring };
  if (pending.size === 0) timer?.addEventListener("abort", check);
  pending.add(alarm);
  if (alarm.due < next || timer!.aborted) wind(alarm.due);
  return alarm;
}

/** The timer goes on: it is the next call's. */
export function clearAlarm(alarm: Alarm): void {
  pending.delete(alarm);
  // With a listener it would keep a script alive in Deno.
  if (pending.size === 0) timer?.removeEventListener("abort", check);
}

const pending: Set<Alarm> = new Set();
/** When the timer ends; it may have done so while nobody listened. */
let next = Infinity;
let timer: AbortSignal | undefined;

function wind(due: number): void {
  timer?.removeEventListener("abort", check);
  next = due;
  // Not setTimeout: what is left of that after a test counts as a leak in Deno.
  const ms = Math.max(Math.ceil(due - performance.now()), 0);
  timer = AbortSignal.timeout(ms);
  timer.addEventListener("abort", check);
}

function check(): void {
  next = Infinity;
  timer = undefined;
  const now = performance.now();
  const due = [...pending].filter((alarm) => alarm.due <= now)
    .sort((a, b) => a.due - b.due);
  // One that rings may clear another.
  for (const alarm of due) if (pending.delete(alarm)) alarm.ring();
  let first = Infinity;
  for (const alarm of pending) first = Math.min(first, alarm.due);
  if (first < next) wind(first);
}
