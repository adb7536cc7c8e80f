/** What needs no VMM of its own: numbers, events, the fake's start. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createClient } from "../mod.ts";
import { readEvents } from "../src/events/mod.ts";
import { parse } from "../src/json/json.ts";
import { FakeVmm } from "../testing/mod.ts";
import { large } from "./bodies.ts";
import { compare, type Figure } from "./compare.ts";
import { full, quick } from "./plan.ts";

const plan = process.argv[2] === "quick" ? quick : full;

async function start(): Promise<Figure[]> {
  return await compare("FakeVmm, start and close", plan.starts * 3, [
    { name: "FakeVmm", run: async () => (await FakeVmm.start()).close() },
  ]);
}

/** The text of a large VM's `vm.info`, and one with a number beyond 2^53. */
async function texts(): Promise<string[]> {
  const vmm = await FakeVmm.start({ files: "any" });
  const client = createClient(vmm.socketPath);
  await client.vm.create(large);
  const info = await client.vm.info();
  await vmm.close();
  const text = JSON.stringify(info);
  return [text, text.replace('"size":536870912', '"size":9007199254740993')];
}

async function json(): Promise<Figure[]> {
  const [plain, wide] = await texts() as [string, string];
  if (wide === plain) throw new Error("no number was replaced");
  const timeParse = (text: string, by: (text: string) => unknown) => () => {
    for (let i = 0; i < 20; i++) by(text);
    return Promise.resolve();
  };
  return [
    ...await compare("JSON of vm.info", plan.calls, [
      { name: "JSON.parse", run: timeParse(plain, JSON.parse) },
      { name: "lossless", run: timeParse(plain, parse) },
    ]),
    ...await compare("JSON with a number beyond 2^53", plan.calls, [
      { name: "JSON.parse", run: timeParse(wide, JSON.parse) },
      { name: "lossless", run: timeParse(wide, parse) },
    ]),
  ];
}

async function events(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-"));
  const path = join(directory, "events");
  const text = Array.from(
    { length: plan.events },
    (_, i) => JSON.stringify(event(i), null, 2),
  ).join("\n\n") + "\n\n";
  writeFileSync(path, text);
  const ended = Promise.resolve();
  const read = async (): Promise<void> => {
    let count = 0;
    for await (const _ of readEvents(path, { ended })) count++;
    if (count !== plan.events) throw new Error(`${count} events`);
  };
  const parse = (): Promise<unknown> =>
    Promise.resolve(text.trimEnd().split("\n\n").map((one) => JSON.parse(one)));
  const figures = await compare(`${plan.events} events`, plan.bursts, [
    { name: "JSON.parse", run: parse },
    { name: "readEvents", run: read },
  ]);
  rmSync(directory, { recursive: true });
  return figures;
}

function event(i: number): unknown {
  return {
    timestamp: { secs: i, nanos: i },
    source: "vm",
    event: "device-removed",
    properties: { id: `disk${i}`, bdf: "0000:00:06.0" },
  };
}

console.log(JSON.stringify([
  ...await json(),
  ...await events(),
  ...await start(),
]));
process.exit();
