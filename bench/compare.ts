/** Measures several ways to do a thing in turn, so that all share the noise. */
import { median, quantile } from "simple-statistics";

/** A way to do it. */
export interface Row {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** What it needs before, and is not timed. */
  readonly before?: () => Promise<unknown>;
  /** Runs in one of so many rounds only. @default 1 */
  readonly every?: number;
}

/** What came out for one row of one case. */
export interface Figure {
  readonly what: string;
  readonly row: string;
  /** Milliseconds. */
  readonly median: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  /** The median by that of the first row. */
  readonly ratio: number;
}

/** Runs the rows in a new order each round; a fifth more is not counted. */
export async function compare(
  what: string,
  rounds: number,
  rows: readonly Row[],
): Promise<Figure[]> {
  const times = new Map<Row, number[]>(rows.map((row) => [row, []]));
  const warmUp = Math.ceil(rounds / 5);
  for (let round = -warmUp; round < rounds; round++) {
    for (const row of shuffled(rows)) {
      if (round % (row.every ?? 1) !== 0) continue;
      await row.before?.();
      const start = performance.now();
      await row.run();
      const time = performance.now() - start;
      if (round >= 0) times.get(row)!.push(time);
    }
  }
  const base = median(times.get(rows[0]!)!);
  return rows.map((row) => {
    const all = times.get(row)!;
    return {
      what,
      row: row.name,
      median: median(all),
      low: quantile(all, 0.25),
      high: quantile(all, 0.75),
      ratio: median(all) / base,
    };
  });
}

/** What runs before another leaves it a warm cache, or its garbage. */
function shuffled<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
