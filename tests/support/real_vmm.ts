/** The real VMM that `CLOUD_HYPERVISOR` names, as the tests start it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { NAMES_OF_VMM_TESTS } from "../../tools/test/names.ts";
import { type RegisterTest, testIf } from "./skip.ts";

/** The path in `CLOUD_HYPERVISOR`; empty without one. */
export const GIVEN: string = process.env["CLOUD_HYPERVISOR"] ?? "";

/** The major version of the VMM, such as 53; `undefined` without a VMM. */
export const MAJOR: number | undefined = majorOf(GIVEN);

/** The program that tests start; empty without one. */
export const BINARY: string = needsFlag(MAJOR) ? wrapped(GIVEN) : GIVEN;

/** The reason why tests are skipped without a VMM. */
export const NO_VMM: string =
  "CLOUD_HYPERVISOR names no binary, or /dev/kvm does not open";

/** The value of `--cpus`: before v50.0 the program does not know `nested`. */
export const CPUS_FLAG: string = MAJOR !== undefined && MAJOR < 50
  ? "boot=1"
  : "boot=1,nested=off";

/** A reason to skip a test that needs the VMM's filter of system calls. */
export const NO_FILTER: string | undefined = needsFlag(MAJOR)
  ? "its filter of system calls ends this VMM with a recent C library"
  : undefined;

/**
 * Returns a function that registers tests with the real VMM. They are skipped
 * where `missing` is a reason. Their names say that they need a real VMM, so
 * that `deno task test:vmm` finds them.
 */
export function testVmm(missing: string | undefined): RegisterTest {
  const register = testIf(missing === undefined, missing ?? "");
  return (name, body) => {
    if (name.includes(NAMES_OF_VMM_TESTS)) return register(name, body);
    throw new Error(`${name}: the name lacks "${NAMES_OF_VMM_TESTS}"`);
  };
}

/** A reason to skip a test, if the VMM is older than a release. */
export function olderThan(major: number, lack: string): string | undefined {
  return MAJOR === undefined || MAJOR >= major
    ? undefined
    : `the VMM is older than v${major}.0: ${lack}`;
}

function majorOf(program: string): number | undefined {
  if (program === "") return undefined;
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const major = /^cloud-hypervisor v(\d+)\./.exec(stdout ?? "")?.[1];
  return major === undefined ? undefined : Number(major);
}

/** The filter of old releases ends the VMM with a C library of today. */
function needsFlag(major: number | undefined): boolean {
  return major !== undefined && major < 50;
}

/** A script that runs the program without the filter of system calls. */
function wrapped(program: string): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-vmm-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "cloud-hypervisor");
  const script = `#!/bin/sh
case " $* " in *" --seccomp "*) ;; *) set -- --seccomp false "$@" ;; esac
exec '${program}' "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
