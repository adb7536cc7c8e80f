/**
 * Runs the tests that need a real VMM, with each program that
 * `CLOUD_HYPERVISOR` names, separated by colons as in `PATH`, and prints a table
 * of releases and runtimes: `deno task test:vmm`. The arguments are those of
 * `deno task test`.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { NAMES_OF_VMM_TESTS } from "./names.ts";
import {
  checkRuntimes,
  LIMITS,
  passed,
  ROOT,
  runAndCount,
  type RuntimeResult,
} from "./run.ts";
import { tableOf, type VmmResults } from "./vmm_table.ts";

/** Files that have such tests, by parts of their paths. */
const FILES = [
  "client/overloaded",
  "command_line/cases",
  "conformance",
  "examples/",
  "guest/",
  "process/",
  "workflows/",
];

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      runtime: { type: "string", multiple: true, default: [] },
      seed: { type: "string" },
    },
    allowPositionals: true,
  });
  checkRuntimes(values.runtime);
  if (values.seed !== undefined) process.env["TEST_SEED"] = values.seed;
  const selection = {
    only: values.runtime,
    files: positionals.length > 0 ? positionals : FILES,
    words: NAMES_OF_VMM_TESTS,
  };
  const all: VmmResults[] = [];
  for (const program of programsOf(process.env["CLOUD_HYPERVISOR"])) {
    console.log(`\n${program}: ${releaseOf(program)}`);
    process.env["CLOUD_HYPERVISOR"] = program;
    const results: RuntimeResult[] = await runAndCount(
      ROOT,
      selection,
      // Node needs minutes for all examples on a busy host.
      { ...LIMITS, fileMs: 2 * LIMITS.fileMs },
      console.log,
    );
    all.push({ release: releaseOf(program), results });
  }
  console.log(`\n${tableOf(all).join("\n")}`);
  process.exitCode = all.every(({ results }) => passed(results)) ? 0 : 1;
}

function programsOf(list: string | undefined): string[] {
  const programs = (list ?? "").split(":").filter((path) => path !== "");
  if (programs.length > 0) return programs;
  throw new Error(
    "CLOUD_HYPERVISOR names no program; give the path of a VMM, or several " +
      "with colons between them",
  );
}

/** The release that a program says it is, such as `v53.0`. */
function releaseOf(program: string): string {
  const { stdout, error } = spawnSync(program, ["--version"], {
    encoding: "utf8",
  });
  const release = /^cloud-hypervisor (v\d+\.\d+)/.exec(stdout ?? "")?.[1];
  if (release !== undefined) return release;
  const cause = error?.message ?? "it prints no release";
  throw new Error(`"${program}" in CLOUD_HYPERVISOR is no VMM: ${cause}`);
}
