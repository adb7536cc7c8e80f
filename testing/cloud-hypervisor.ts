/**
 * The stand-in program for the cloud-hypervisor binary: it has the same flags,
 * exit codes, signals and files, and runs no guest.
 *
 * `FAKE_VMM_RELEASE` selects the release. With `FAKE_VMM_FILES=any` every path
 * counts as a file that fits. `FAKE_VMM_GUEST` is a `GuestScript` as JSON, or the
 * URL of a module whose default export is a `GuestScript`. `FAKE_VMM_FAULTS` is
 * an array of `FaultRule`s as JSON: failures on demand.
 *
 * @module
 */
import process from "node:process";
import { failed, ProgramExit, startProgram } from "./command/start_program.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import {
  type FakeProgramOptions,
  fromEnvironment,
} from "./program_environment.ts";
import { newestRelease, releases } from "./release.ts";

async function main(): Promise<void> {
  const { release: name = newestRelease, guest, ...rest } = readEnvironment();
  const release = releases[name];
  if (release === undefined) {
    throw failed([`FAKE_VMM_RELEASE is not a release: ${name}`]);
  }
  const options = { ...rest, guest: await loadGuest(guest) };
  const starting = startProgram(process.argv.slice(2), release, options);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void starting.then(({ vmm }) => vmm.terminate()));
  }
  const { vmm, flags } = await starting;
  const { code, signal } = await vmm.exited;
  // The lock file of a given socket path stays, as a real VMM leaves it.
  if (flags.apiSocket === undefined) await vmm.close();
  if (signal !== null) process.kill(process.pid, signal);
  process.exit(code ?? 1);
}

function readEnvironment(): FakeProgramOptions {
  try {
    return fromEnvironment(process.env);
  } catch (error) {
    throw failed([(error as Error).message]);
  }
}

async function loadGuest(
  guest: FakeProgramOptions["guest"],
): Promise<GuestScript> {
  if (!(guest instanceof URL)) return guest ?? {};
  try {
    const module = await import(guest.href) as { default?: GuestScript };
    if (typeof module.default === "object") return module.default;
  } catch (error) {
    throw failed([`FAKE_VMM_GUEST: ${(error as Error).message}`]);
  }
  throw failed([`FAKE_VMM_GUEST: ${guest} has no default export`]);
}

// Bun would go on after a mistake in the guest's script.
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});

try {
  await main();
} catch (error) {
  if (!(error instanceof ProgramExit)) throw error;
  process.stdout.write(error.stdout);
  process.stderr.write(error.stderr);
  process.exitCode = error.code;
}
