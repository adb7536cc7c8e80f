/** The outcome of tests with several VMMs, as a table in Markdown. */
import { count, type RuntimeResult } from "./run.ts";

/** The tests that ran with one VMM. */
export interface VmmResults {
  /** Such as `v53.0`. */
  readonly release: string;
  readonly results: readonly RuntimeResult[];
}

/** Returns the lines: the table, then each reason of a skip, with its tests. */
export function tableOf(all: readonly VmmResults[]): string[] {
  const runtimes = [
    ...new Set(
      all.flatMap(({ results }) => results.map(({ runtime }) => runtime)),
    ),
  ];
  const rows = all.map(({ release, results }) => [
    release,
    ...runtimes.map((name) =>
      count(results.filter(({ runtime }) => runtime === name))
    ),
  ]);
  return [
    ["release", ...runtimes],
    ["---", ...runtimes.map(() => "---")],
    ...rows,
  ].map((cells) => `| ${cells.join(" | ")} |`).concat(reasons(all));
}

function reasons(all: readonly VmmResults[]): string[] {
  const skips = all.flatMap(({ release, results }) =>
    results.filter(({ outcome }) => outcome === "skipped")
      .map(({ file, name, reason }) => ({
        release,
        test: `${file}: ${name}`,
        reason,
      }))
  );
  const lines = Map.groupBy(skips, ({ reason }) => reason);
  return lines.size === 0 ? [] : [
    "",
    ...[...lines].map(([reason, rows]) => {
      const tests = new Set(rows.map(({ test }) => test)).size;
      const releases = [...new Set(rows.map(({ release }) => release))];
      const word = tests === 1 ? "test" : "tests";
      return `- ${tests} ${word} skipped on ${releases.join(", ")}: ${reason}`;
    }),
  ];
}
