/**
 * Records a real VMM: the scenarios of the project's own, or with `--again`
 * those that were recorded before.
 *
 * `CLOUD_HYPERVISOR=<binary> deno run -A tests/replay_record.ts [--again]`
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parse, stringify } from "../src/json/json.ts";
import { real, type Subject } from "../tests/fake/conformance.ts";
import {
  exchange,
  type RecordedRequest,
  type Recording,
  workspace,
} from "../tests/fake/replay.ts";
import { requestOf, scenarios } from "../tests/fake/replay_scenarios.ts";

const again = process.argv.includes("--again");

const space = workspace();
const subject = await real(space);
space.remove();
if (typeof subject === "string") throw new Error(subject);

const release = subject.release === "v53.0" ? "v53.0" : "head";
const recorded = new URL(`../tests/recordings/${release}/`, import.meta.url);
const own = new URL(`../tests/replay_recordings/${release}/`, import.meta.url);

if (again) {
  for (const name of readdirSync(recorded).sort()) {
    const url = new URL(name, recorded);
    const { scenario, exchanges } = parse(
      readFileSync(url, "utf8"),
    ) as Recording;
    const requests = exchanges.map(({ response: _, ...request }) => request);
    write(url, await record(subject, scenario, requests));
  }
} else {
  mkdirSync(own, { recursive: true });
  for (const [name, steps] of Object.entries(scenarios)) {
    const file = name.replace(/\W+/g, "-");
    const recording = await record(subject, name, steps.map(requestOf));
    write(new URL(`${file}.json`, own), recording);
  }
}
process.exit(0);

async function record(
  subject: Subject,
  scenario: string,
  requests: readonly (RecordedRequest & { waitMs?: number })[],
): Promise<Recording> {
  const space = workspace();
  const vmm = await subject.start(space);
  const exchanges: Recording["exchanges"][number][] = [];
  for (const request of requests) {
    if (request.waitMs !== undefined) await vmm.ended;
    const response = await exchange(vmm.socketPath, request, space.path);
    exchanges.push({ ...request, response });
  }
  // What is still to come has a moment: the monitor is a thread of its own.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const events = await vmm.events(0);
  const exit = vmm.exit();
  await vmm.end();
  space.remove();
  const recording = { scenario, exchanges, events: [events], exit: [exit] };
  const text = stringify(recording)!.replaceAll(space.path, "$TMP");
  return parse(text) as Recording;
}

function write(url: URL, recording: Recording): void {
  const text = stringify(recording)!;
  // One exchange a line keeps the differences readable.
  const lines = text.replaceAll(/,(?=\{"(method|raw)":)/g, ",\n  ");
  writeFileSync(url, `${lines}\n`);
}
