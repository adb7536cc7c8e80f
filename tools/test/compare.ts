/** Finds the tests that only some of the runtimes ran. */
import type { Result } from "./file.ts";

/**
 * One suite for three runtimes means the same tests on each: one that ended
 * early without an error, or lost a test on loading, is found here.
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
  return [...counts].flatMap(([key, row]) => {
    const [file, name] = JSON.parse(key) as [string, string];
    const most = Math.max(...row.values());
    const short = [...ran].filter(([runtime, results]) =>
      (row.get(runtime) ?? 0) < most && ended(results, file)
    );
    if (short.length === 0) return [];
    const where = short.map(([runtime]) => runtime).join(", ");
    return [{
      file,
      name,
      outcome: "failed",
      error: `did not run on ${where}`,
    }];
  });
}

/** Whether the runtime got to the end of the file, as far as it knows. */
function ended(results: Result[], file: string): boolean {
  const own = results.filter((result) => result.file === file);
  return own.length > 0 && own.every(({ name }) => name !== "");
}
