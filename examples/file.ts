// Runs as it is where the packages are installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" and "npm:yaml@2.9.1" in the imports.
import type { VmConfig } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { validate } from "@chv/cloud-hypervisor/schema";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseDocument } from "yaml";

/**
 * Boots a VM from a YAML or JSON file that has the keys of the API. The file
 * is validated first; with a problem in it, nothing is started. Runs until the
 * guest powers off; Ctrl-C kills the VMM and the guest. Takes the installed
 * cloud-hypervisor, else the fake.
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
// A JSON file is a YAML file, too.
const document = parseDocument(readFileSync(path, "utf8"));
const config: unknown = document.toJS();
const problems = document.errors.length > 0
  ? document.errors.map(({ message }) => message)
  : validate(config).map((problem) => `${problem.path}: ${problem.message}`);
if (problems.length > 0) {
  for (const problem of problems) console.error(`${path}: ${problem}`);
  process.exit(1);
}

const program = fakeUnlessInstalled({ files: "any" });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm({ ...program, config: config as VmConfig });
try {
  console.log(`booted in VMM ${vmm.pid}, socket ${vmm.socketPath}`);
  const { exitCode, signal, stderr } = await vmm.exited;
  console.log(`the VMM ended with ${signal ?? `code ${exitCode}`}`);
  if (exitCode !== 0) console.error(stderr);
  process.exitCode = exitCode ?? 1;
} finally {
  await vmm.stop();
}
