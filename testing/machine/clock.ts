/** Clocks: real time, and time that a test controls. */

/** A source of time. */
export interface Clock {
  /** Milliseconds since some start. */
  now(): number;
  /** Runs `callback` after `ms` milliseconds. Returns a function that cancels. */
  after(ms: number, callback: () => void): () => void;
}

/** Real time. */
export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Time that passes only when a test calls `advance()`. */
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

  /** Advances the time, and runs the callbacks that become due, in order. */
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
