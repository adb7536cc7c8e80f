/**
 * Measures several ways to do one thing. They take turns, so that all of them
 * share the noise of the machine: that is why no library does it.
 */

/** One way to do it. */
export interface Row {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Runs before each run, and is not timed. */
  readonly before?: () => Promise<unknown>;
}

/** The times of one row, in milliseconds. */
export interface Figure {
  readonly title: string;
  readonly row: string;
  readonly median: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  /** The median divided by that of the first row. */
  readonly ratio: number;
}

/** Runs the rows in a new order each round; a fifth more rounds warm up. */
export async function compare(
  title: string,
  rounds: number,
  rows: readonly Row[],
): Promise<Figure[]> {
  const times = new Map<Row, number[]>(rows.map((row) => [row, []]));
  for (let round = -Math.ceil(rounds / 5); round < rounds; round++) {
    for (const row of shuffle(rows)) {
      await row.before?.();
      const start = performance.now();
      await row.run();
      const time = performance.now() - start;
      if (round >= 0) times.get(row)!.push(time);
    }
  }
  const base = quantile(times.get(rows[0]!)!, 0.5);
  return [...times].map(([{ name }, all]) => {
    const median = quantile(all, 0.5);
    const [low, high] = [quantile(all, 0.25), quantile(all, 0.75)];
    return { title, row: name, median, low, high, ratio: median / base };
  });
}

/** A row leaves a warm cache, or its garbage, to the next. */
function shuffle<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)]!;
}
