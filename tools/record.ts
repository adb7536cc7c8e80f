/**
 * Records the real VMM that `CLOUD_HYPERVISOR` names into the folder of its
 * release: `deno task record`. A scenario with a request that gets no response
 * is left out, and reported.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { stringify } from "../src/json/json.ts";
import { releaseNames } from "../testing/release.ts";
import { real } from "../tests/fake/conformance.ts";
import { recordScenario } from "../tests/fake/record_scenario.ts";
import { workspace } from "../tests/fake/replay.ts";
import { requestOf, scenarios } from "../tests/fake/replay_scenarios.ts";
import {
  type RecordedRequest,
  recordings,
  recordingsFolder,
  type Scenario,
} from "../tests/support/recordings.ts";

const space = workspace();
const subject = await real(space);
space.remove();
if (typeof subject === "string") throw new Error(subject);

const folder = recordingsFolder(subject.release);
mkdirSync(folder, { recursive: true });
for (const [scenario, requests] of allScenarios()) {
  const name = scenario.toLowerCase().replaceAll(/\W+/g, "-");
  const recording = await recordScenario(subject, scenario, requests);
  if (typeof recording === "string") {
    console.error(`"${scenario}" was left out: ${recording}`);
  } else write(new URL(`${name}.json`, folder), recording);
}
process.exit(0);

/** Those of `replay_scenarios.ts`, and those that only recordings hold. */
function allScenarios(): Map<string, readonly RecordedRequest[]> {
  const all = new Map<string, readonly RecordedRequest[]>();
  // A new release has no folder yet.
  const known = releaseNames.filter((name) =>
    existsSync(recordingsFolder(name))
  );
  for (const { scenario, exchanges } of known.flatMap(recordings)) {
    const requests = exchanges.map(({ response: _, ...request }) => request);
    if (!all.has(scenario)) all.set(scenario, requests);
  }
  for (const [name, steps] of Object.entries(scenarios)) {
    all.set(name, steps.map(requestOf));
  }
  return all;
}

function write(url: URL, recording: Scenario): void {
  const text = stringify(recording)!;
  // One exchange on each line keeps the differences readable.
  const lines = text.replaceAll(/,(?=\{"(method|raw)":)/g, ",\n  ");
  writeFileSync(url, `${lines}\n`);
}
