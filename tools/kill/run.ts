/**
 * Ends scripts by SIGKILL at random moments, and checks that the next run finds
 * or cleans what they left: `deno task test:kill --rounds 50 detach`, on any
 * runtime. Without names it runs every scenario of this folder. The VMM is the
 * fake, or the one that `CLOUD_HYPERVISOR` names.
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { randomFrom } from "../../tests/support/random.ts";
import { runRound } from "./support/round.ts";
import type { KillScenario } from "./support/scenario.ts";

export interface KillOptions {
  /** Rounds of each scenario. */
  readonly rounds: number;
  readonly seed: number;
  /** No round begins later. Each scenario has at least its first run. */
  readonly seconds: number;
  readonly print: (line: string) => void;
}

/** Runs all scenarios in turn; resolves to the number of failures. */
export async function runKills(
  scenarios: readonly KillScenario[],
  { rounds, seed, seconds, print }: KillOptions,
): Promise<number> {
  const endsAt = performance.now() + seconds * 1000;
  const random = randomFrom(seed);
  let failures = 0;
  const attempt = async (
    { name }: KillScenario,
    moment: string,
    body: () => Promise<number>,
  ): Promise<number | undefined> => {
    try {
      return await body();
    } catch (error) {
      failures++;
      const { stack } = error as Error;
      print(`${name} failed ${moment}: ${stack ?? error}`);
      return undefined;
    }
  };
  for (const scenario of scenarios) {
    const run = (): Promise<number> => runRound(scenario);
    const span = await attempt(scenario, "without a kill", run);
    if (span === undefined) continue;
    let round = 0;
    const before = failures;
    for (; round < rounds && performance.now() < endsAt; round++) {
      const ms = random() * span;
      const moment = `${ms.toFixed(1)} ms after its begin, seed ${seed}`;
      await attempt(scenario, moment, () => runRound(scenario, ms));
    }
    print(
      `kill ${scenario.name}: ${round} rounds within ${span.toFixed(0)} ms, ` +
        `${failures - before} failed`,
    );
  }
  return failures;
}

async function loadScenarios(
  names: readonly string[],
): Promise<KillScenario[]> {
  const all = readdirSync(new URL(".", import.meta.url))
    .filter((file) => file.endsWith(".ts") && file !== "run.ts")
    .map((file) => file.replace(/\.ts$/, "")).sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no scenario is called ${unknown}; there are ${all}`);
  }
  const wanted = names.length > 0 ? names : all;
  const modules = await Promise.all(
    wanted.map((name) => import(`./${name}.ts`)),
  ) as { readonly scenario: KillScenario }[];
  return modules.map(({ scenario }) => scenario);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      rounds: { type: "string", default: "50" },
      seconds: { type: "string", default: "Infinity" },
      seed: {
        type: "string",
        default: `${Math.floor(Math.random() * 2 ** 31)}`,
      },
    },
    allowPositionals: true,
  });
  // The fake takes every path for a file that fits.
  process.env["FAKE_VMM_FILES"] = "any";
  const seed = Number(values.seed);
  console.log(`kill: seed ${seed}`);
  const failures = await runKills(await loadScenarios(positionals), {
    rounds: Number(values.rounds),
    seed,
    seconds: Number(values.seconds),
    print: console.log,
  });
  process.exit(failures > 0 ? 1 : 0);
}
