/**
 * Ends scripts by SIGKILL at random moments, and checks that the next run finds
 * or cleans what they left: `deno task test:kill --rounds 50 detach`. Without
 * names it runs every scenario of this folder. `--runtime bun` runs scripts and
 * checks by Bun. The VMM is the fake, or the program in `CLOUD_HYPERVISOR`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { randomFrom } from "../../tests/support/random.ts";
import { BIN, runtimes } from "../test/runtimes.ts";
import { type Round, runRound } from "./support/round.ts";
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
    body: () => Promise<Round>,
  ): Promise<Round | undefined> => {
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
    const run = (): Promise<Round> => runRound(scenario);
    const whole = await attempt(scenario, "without a kill", run);
    if (whole === undefined) continue;
    const span = whole.ms;
    const moments: Record<string, number> = {};
    let round = 0;
    const before = failures;
    for (; round < rounds && performance.now() < endsAt; round++) {
      const ms = random() * span;
      const moment = `${ms.toFixed(1)} ms after its begin, seed ${seed}`;
      const killed = await attempt(
        scenario,
        moment,
        () => runRound(scenario, ms),
      );
      const name = killed?.moment;
      if (name) moments[name] = (moments[name] ?? 0) + 1;
    }
    const counts = Object.entries(moments).map(([name, n]) => `, ${n} ${name}`);
    print(
      `kill ${scenario.name}: ${round} rounds within ${span.toFixed(0)} ms, ` +
        `${failures - before} failed${counts.join("")}`,
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

/** Runs this program by another runtime; returns its exit code. */
function runBy(name: string): number {
  const names = runtimes.map(({ name }) => name);
  if (!names.includes(name)) {
    throw new Error(`no runtime is called ${name}; there are ${names}`);
  }
  const flags = name === "deno" ? ["run", "-A"] : [];
  const words = process.argv.slice(2);
  const at = words.findIndex((word) => word.startsWith("--runtime"));
  words.splice(at, words[at] === "--runtime" ? 2 : 1);
  const args = [...flags, fileURLToPath(import.meta.url), ...words];
  const { status } = spawnSync(join(BIN, name), args, { stdio: "inherit" });
  return status ?? 1;
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
      runtime: { type: "string" },
    },
    allowPositionals: true,
  });
  if (values.runtime !== undefined) process.exit(runBy(values.runtime));
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
