/** How much is measured: enough for the results, or a smoke test. */
export interface Plan {
  /** Rounds of single calls, each with every way of calling once. */
  readonly calls: number;
  /** A program as costly as curl runs in one of so many rounds. */
  readonly every: number;
  /** Rounds of bursts, and the sizes of a burst. */
  readonly bursts: number;
  readonly sizes: readonly number[];
  /** Calls of each of two clients. */
  readonly rivals: number;
  /** Rounds of whole processes. */
  readonly starts: number;
  /** Calls after which the memory is looked at, and how often. */
  readonly step: number;
  readonly steps: number;
  /** Events in the file that is read. */
  readonly events: number;
  /** How many VMMs are polled, each once a second, for so many seconds. */
  readonly crowds: readonly number[];
  readonly seconds: number;
}

export const full: Plan = {
  calls: 3000,
  every: 60,
  bursts: 9,
  sizes: [4, 100, 1000],
  rivals: 2000,
  starts: 15,
  step: 10_000,
  steps: 10,
  events: 100_000,
  crowds: [1, 25, 50, 100, 200],
  seconds: 4,
};

export const quick: Plan = {
  calls: 6,
  every: 3,
  bursts: 2,
  sizes: [4, 10],
  rivals: 20,
  starts: 1,
  step: 20,
  steps: 2,
  events: 1000,
  crowds: [1, 2],
  seconds: 1,
};
