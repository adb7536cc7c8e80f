/**
 * A script that owns a VMM in a directory. Its second argument is JSON with
 * more options of `spawnVmm`. With `"onSignal": "ignore"` the script handles
 * SIGTERM itself.
 */
import process from "node:process";
import { spawnVmm, type SpawnVmmOptions } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";

const [directory, json = "{}"] = process.argv.slice(2);
const options = JSON.parse(json) as SpawnVmmOptions;
const vmm = await spawnVmm({
  command: fakeCommand(),
  directory: directory!,
  ...options,
});
if (options.onSignal === "ignore") {
  process.once("SIGTERM", async () => {
    const { step } = await vmm.stop();
    process.stdout.write(`stopped by ${step}\n`);
  });
}
process.stdout.write(`${vmm.pid}\n`);
await vmm.exited;
