/**
 * A script with a detached VMM in a directory, for the tests that end it. It
 * prints the pid, and then ends as the second argument says; `wait` is for
 * signals. The third argument is JSON with more options of `spawnVmm`.
 */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";

const [directory, mode, json = "{}"] = process.argv.slice(2);
const vmm = await spawnVmm({
  command: process.env["CLOUD_HYPERVISOR"] || fakeCommand(),
  directory: directory!,
  detach: true,
  ...JSON.parse(json),
});
process.stdout.write(`${vmm.pid}\n`);
switch (mode) {
  case "exit":
    process.exit(3);
    break;
  case "throw":
    throw new Error("on purpose");
  case "await":
    process.stdout.write(`exited ${(await vmm.exited).exitCode}\n`);
    break;
  case "wait":
    setInterval(() => {}, 1000);
}
