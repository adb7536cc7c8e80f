/** A script that owns a VMM in a directory; with `own` the script handles signals itself. */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";

const [directory, mode] = process.argv.slice(2);
const vmm = await spawnVmm({
  command: fakeCommand(),
  directory: directory!,
  onSignal: mode === "own" ? "ignore" : "kill",
});
if (mode === "own") {
  process.once("SIGTERM", async () => {
    const { step } = await vmm.stop();
    process.stdout.write(`stopped by ${step}\n`);
  });
}
process.stdout.write(`${vmm.pid}\n`);
await vmm.exited;
