/** A script goes on with the JSON that another script has stored. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "../../src/json/mod.ts";
import { migrateVm, receiveVm } from "../../src/workflows/mod.ts";
import type { Stored } from "../programs/stored.ts";
import { fails, pair } from "../support/migration.ts";
import { programCommand } from "../support/owner_script.ts";
import { REFUSAL } from "../support/running_vm.ts";

test("errors, counters and event offsets go through JSON to another script", () =>
  pair(async ({ directory, from, to }) => {
    const { vm } = from.vmm.client;
    await vm.addDisk({ path: "/a.raw", id: "a" });
    const { counters } = { counters: await vm.counters() };
    assert.equal(typeof counters["a"]!["read_latency_min"], "bigint");
    to.fake.injectFault({ operation: "vm.receive-migration", fault: REFUSAL });
    const error = await fails(migrateVm(from.vmm, to.vmm), "Running", "none");
    let since = 0;
    const ended = Promise.resolve();
    for await (const event of from.vmm.events!({ ended })) since = event.offset;
    const url = `unix:${directory}/socket`;
    await receiveVm(to.vmm, { url });
    const stored: Stored = {
      error: error.toJSON(),
      counters,
      since,
      url,
      socketPath: from.vmm.socketPath,
      eventsPath: join(directory, "from.events"),
    };
    const path = join(directory, "stored.json");
    writeFileSync(path, stringify(stored));
    const [outcome, text] = (await output("stored", path)).split("\n");
    assert.equal(outcome, "moved");
    assert.deepEqual(parse(text!), parse(stringify(stored)));
    const again = parse(text!) as Stored;
    assert.equal(again.counters["a"]!["read_latency_min"], 2n ** 64n - 1n);
    const { name, code, source, destination, causes } = again.error;
    assert.deepEqual(
      { name, code, source, destination, cause: causes[0]?.["operation"] },
      {
        name: "MigrationError",
        code: "migration_failed",
        source: "Running",
        destination: "none",
        cause: "vm.receive-migration",
      },
    );
  }));

async function output(name: string, ...args: string[]): Promise<string> {
  const [program, ...rest] = programCommand(name);
  const child = spawn(program, [...rest, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return text;
}
