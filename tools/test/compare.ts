/** Finds the tests that ran on some of the runtimes only. */
import type { Result } from "./case.ts";

/**
 * Every runtime must run the same tests: this finds a test file that ended
 * early without an error, and one that lost a test while it loaded.
 */
export function compare(ran: ReadonlyMap<string, Result[]>): Result[] {
  const counts = new Map<string, Map<string, number>>();
  for (const [runtime, results] of ran) {
    for (const { file, name } of results.filter(({ name }) => name !== "")) {
      const key = JSON.stringify([file, name]);
      const row = counts.get(key) ?? new Map<string, number>();
      counts.set(key, row.set(runtime, (row.get(runtime) ?? 0) + 1));
    }
  }
  return [...counts].flatMap(([key, row]): Result[] => {
    const [file, name] = JSON.parse(key) as [string, string];
    const most = Math.max(...row.values());
    const missing = [...ran].filter(([runtime, results]) =>
      (row.get(runtime) ?? 0) < most && hasEnded(results, file)
    ).map(([runtime]) => runtime);
    if (missing.length === 0) return [];
    const error = `did not run on ${missing.join(", ")}`;
    return [{ file, name, outcome: "failed", error }];
  });
}

/** Tells whether the runtime reported no fault of the file as a whole. */
function hasEnded(results: Result[], file: string): boolean {
  const own = results.filter((result) => result.file === file);
  return own.length > 0 && own.every(({ name }) => name !== "");
}
