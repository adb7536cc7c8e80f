/**
 * The stand-in program for the cloud-hypervisor binary: it has the same flags,
 * exit codes, signals and files, and runs no guest.
 *
 * `FAKE_VMM_RELEASE` selects the release. With `FAKE_VMM_FILES=any` every path
 * counts as a file that fits. `FAKE_VMM_GUEST` is a `GuestScript` as JSON: what
 * the guest does by itself.
 *
 * @module
 */
import process from "node:process";
import { failed, ProgramExit, startProgram } from "./command/start_program.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import {
  newestRelease,
  type Release,
  type ReleaseName,
  releases,
} from "./release.ts";

async function main(): Promise<void> {
  const starting = startProgram(process.argv.slice(2), releaseOfEnv(), {
    files: process.env["FAKE_VMM_FILES"] === "any" ? "any" : "real",
    guest: guestOf(process.env["FAKE_VMM_GUEST"] ?? "{}"),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void starting.then(({ vmm }) => vmm.terminate()));
  }
  const { vmm, flags } = await starting;
  const { code } = await vmm.exited;
  // The lock file of a given socket path stays, as a real VMM leaves it.
  if (flags.apiSocket === undefined) await vmm.close();
  process.exit(code);
}

function releaseOfEnv(): Release {
  const name = process.env["FAKE_VMM_RELEASE"] ?? newestRelease;
  const release = releases[name as ReleaseName];
  if (release !== undefined) return release;
  throw failed([`FAKE_VMM_RELEASE is not a release: ${name}`]);
}

function guestOf(text: string): GuestScript {
  try {
    return JSON.parse(text) as GuestScript;
  } catch {
    throw failed([`FAKE_VMM_GUEST is no JSON: ${text}`]);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ProgramExit)) throw error;
  process.stdout.write(error.stdout);
  process.stderr.write(error.stderr);
  process.exitCode = error.code;
}
