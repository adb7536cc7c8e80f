/** Two who call at once, and what they lose; prints {@linkcode Loss}es. */
import process from "node:process";
import { createClient } from "../mod.ts";
import { bareTo } from "./bare/mod.ts";
import { lanes } from "./lanes.ts";
import { full, quick } from "./plan.ts";

/** Of the calls of both, how many came to nothing. */
export interface Loss {
  readonly row: string;
  readonly calls: number;
  readonly lost: number;
}

const [socketPath = "", size] = process.argv.slice(2);
const { rivals: calls } = size === "quick" ? quick : full;

/** Each of the two has a way to call of its own. */
async function lose(row: string, two: (() => Promise<unknown>)[]) {
  let lost = 0;
  const count = async (ping: () => Promise<unknown>): Promise<void> => {
    try {
      const answer = await ping() as { version?: string };
      if (answer?.version === undefined) lost++;
    } catch {
      lost++;
    }
  };
  await Promise.all(two.map((ping) => lanes(calls, 4, () => count(ping))));
  return { row, calls: 2 * calls, lost };
}

const bare = await bareTo(socketPath);
const losses: Loss[] = [
  await lose(
    "bare",
    [1, 2].map(() => () => bare("GET", "vmm.ping")),
  ),
  await lose(
    "this client",
    [1, 2].map(() => createClient(socketPath))
      .map(({ vmm }) => () => vmm.ping()),
  ),
];
console.log(JSON.stringify(losses));
process.exit();
