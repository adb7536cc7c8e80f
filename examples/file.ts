// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" and so on, and "npm:yaml@2.9.1".
import type { VmConfig } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { validate } from "@chv/cloud-hypervisor/schema";
import { fakeProgram } from "@chv/cloud-hypervisor/testing";
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseDocument } from "yaml";

/**
 * A VM from a file in YAML or JSON, in the keys of the API: the file is looked
 * over first, and nothing is started when anything is wrong with it. Runs
 * until the guest powers off, or Ctrl-C. Without cloud-hypervisor in
 * `CLOUD_HYPERVISOR`, the fake plays it.
 *
 *     deno run --allow-run --allow-env --allow-read --allow-write --allow-net file.ts vm.yaml
 *     bun file.ts vm.yaml
 *     node file.ts vm.yaml
 */
const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: file.ts <vm.yaml or vm.json>");
  process.exit(2);
}
const fake = process.env["CLOUD_HYPERVISOR"] === undefined;

/** JSON is YAML too. */
const document = parseDocument(readFileSync(path, "utf8"));
const config: unknown = document.toJS();
const problems = document.errors.length > 0
  ? document.errors.map(({ message }) => message)
  : validate(config).map((problem) => `${problem.path}: ${problem.message}`);
if (problems.length > 0) {
  for (const problem of problems) console.error(`${path}: ${problem}`);
  process.exit(1);
}

const vmm = await spawnVmm({
  ...fake && fakeProgram({ files: "any" }),
  config: config as VmConfig,
});
try {
  console.log(`booted in VMM ${vmm.pid}, socket ${vmm.socketPath}`);
  const { exitCode, signal, stderr } = await vmm.exited;
  console.log(`the VMM ended with ${signal ?? `code ${exitCode}`}`);
  if (exitCode !== 0) console.error(stderr);
  process.exitCode = exitCode ?? 1;
} finally {
  await vmm.stop();
}
