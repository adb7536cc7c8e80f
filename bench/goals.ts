/** What the figures are held against. */
import type { Figure } from "./compare.ts";
import type { Results } from "./results.ts";

/** A figure that should not be larger than `most`. */
export interface Goal {
  readonly goal: string;
  readonly most: number;
  readonly value: (results: Results) => number;
  readonly format: (value: number) => string;
}

export const goals: readonly Goal[] = [
  {
    goal: "a ping by a bare one, at most 1.05",
    most: 1.05,
    value: ({ calls }) => ratio(calls, "ping", "this client"),
    format: ratioText,
  },
  {
    goal: "`vm.info` by a bare one, at most 1.05",
    most: 1.05,
    value: ({ calls }) => ratio(calls, "vm.info, 64 devices", "this client"),
    format: ratioText,
  },
  {
    goal: "a script of one ping by a bare one, at most 1.15",
    most: 1.15,
    value: ({ starts }) => ratio(starts, "a script of one ping", "this client"),
    format: ratioText,
  },
  {
    goal: "lossless JSON by `JSON.parse`, at most 1.3",
    most: 1.3,
    value: ({ inner }) => ratio(inner, "JSON of vm.info", "lossless"),
    format: ratioText,
  },
  {
    goal: "heap after all calls less that after a tenth, at most 1 MB",
    most: 1e6,
    value: ({ memory }) => memory.at(-1)!.heap - memory[0]!.heap,
    format: (bytes) => `${(bytes / 1e6).toFixed(2)} MB`,
  },
  {
    goal: "the most calls at once by a tenth of them, at most 12",
    most: 12,
    value: ({ calls }) => {
      const bursts = calls.filter(({ what, row }) =>
        what.endsWith("at once") && row === "this client"
      );
      return bursts.at(-1)!.median / bursts.at(-2)!.median;
    },
    format: ratioText,
  },
];

function ratio(figures: readonly Figure[], what: string, row: string): number {
  return figures.find((one) => one.what === what && one.row === row)!.ratio;
}

function ratioText(value: number): string {
  return value.toFixed(2);
}
