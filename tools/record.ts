/**
 * Records the real VMM that `CLOUD_HYPERVISOR` names into the folder of its
 * release: `deno task record`.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parse, stringify } from "../src/json/json.ts";
import { releaseNames } from "../testing/release.ts";
import { real, type Subject } from "../tests/fake/conformance.ts";
import { exchange, workspace } from "../tests/fake/replay.ts";
import { requestOf, scenarios } from "../tests/fake/replay_scenarios.ts";
import {
  type Exchange,
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
  write(
    new URL(`${name}.json`, folder),
    await record(subject, scenario, requests),
  );
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

async function record(
  subject: Subject,
  scenario: string,
  requests: readonly RecordedRequest[],
): Promise<Scenario> {
  const space = workspace();
  const vmm = await subject.start(space);
  const exchanges: Exchange[] = [];
  for (const request of requests) {
    if (request.afterExit) await vmm.ended;
    const response = await exchange(vmm.socketPath, request, space.path);
    exchanges.push({ ...request, response });
  }
  // The event monitor is a thread of its own, and may be behind.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const events = await vmm.events(0);
  const exit = vmm.exit();
  await vmm.end();
  space.remove();
  const text = stringify({ scenario, exchanges, events, exit })!;
  return parse(text.replaceAll(space.path, "$TMP")) as Scenario;
}

function write(url: URL, recording: Scenario): void {
  const text = stringify(recording)!;
  // One exchange on each line keeps the differences readable.
  const lines = text.replaceAll(/,(?=\{"(method|raw)":)/g, ",\n  ");
  writeFileSync(url, `${lines}\n`);
}
