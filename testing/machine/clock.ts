/** Time, so that tests need not wait for it. */

/** What the fake asks about time. */
export interface Clock {
  /** Milliseconds, from any start. */
  now(): number;
  /** Runs `callback` after `ms`; the answer takes that back. */
  after(ms: number, callback: () => void): () => void;
}

/** The time that really passes. */
export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Time that passes when the test says so. */
export class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, and runs what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let due = this.#next(end); due !== undefined; due = this.#next(end)) {
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }

  #next(end: number): { at: number; callback: () => void } | undefined {
    const due = this.#timers.filter(({ at }) => at <= end)
      .sort((a, b) => a.at - b.at)[0];
    this.#timers = this.#timers.filter((timer) => timer !== due);
    return due;
  }
}
