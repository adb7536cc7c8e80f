/** Checks whether this process grows after its warm-up. */
import process from "node:process";

export class Memory {
  readonly #samples: number[] = [];

  take(): void {
    this.#samples.push(process.memoryUsage().rss / 2 ** 20);
  }

  /** The medians of the second and of the last quarter, in MiB. */
  trend(): [early: number, late: number] {
    const quarter = Math.ceil(this.#samples.length / 4);
    return [
      median(this.#samples.slice(quarter, 2 * quarter)),
      median(this.#samples.slice(-quarter)),
    ];
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return Math.round(sorted[sorted.length >> 1] ?? 0);
}
