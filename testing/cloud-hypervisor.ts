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
import { openSync, writeFileSync } from "node:fs";
import process from "node:process";
import { configOf } from "./command/config.ts";
import {
  type Flags,
  options,
  parseFlags,
  UsageError,
} from "./command/flags.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import {
  features,
  newestRelease,
  type Release,
  type ReleaseName,
  releases,
} from "./release.ts";
import { type FakeVmmOptions, StartError } from "./options.ts";
import { FakeVmm } from "./fake_vmm.ts";

async function main(): Promise<void> {
  const name = process.env["FAKE_VMM_RELEASE"] ?? newestRelease;
  const release = releases[name as ReleaseName];
  if (release === undefined) {
    fail(1, [`FAKE_VMM_RELEASE is not a release: ${name}`]);
  }
  const flags = parse();
  if (flags.version) return printVersion(release, flags);
  if (flags.help) {
    process.stderr.write("Usage: cloud-hypervisor [OPTIONS]\n");
    process.exit(process.argv.length > 2 ? 0 : 2);
  }
  const log = flags.values.get("--log-file")?.[0];
  if (log !== undefined) writeFileSync(log, "");
  const starting = start(release, flags);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void starting.then((vmm) => vmm.terminate()));
  }
  const vmm = await starting;
  const { code } = await vmm.exited;
  // The lock file of a given socket path stays, as a real VMM leaves it.
  if (!flags.values.has("--api-socket")) await vmm.close();
  process.exit(code);
}

function parse(): Flags {
  try {
    return parseFlags(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(
      `error: ${error.message}\n\nUsage: cloud-hypervisor [OPTIONS]\n\n` +
        "For more information, try '--help'.\n",
    );
    process.exit(2);
  }
}

function printVersion(release: Release, { verbose }: Flags): void {
  let text = `cloud-hypervisor ${release.buildVersion}\n` +
    "Migration Protocol Versions: 0\n";
  if (verbose > 0) {
    const names = features.map((name) => JSON.stringify(name)).join(", ");
    text += `Enabled features: [${names}]\n`;
  }
  process.stdout.write(text);
}

async function start(release: Release, flags: Flags): Promise<FakeVmm> {
  try {
    return await FakeVmm.start(optionsOf(release, flags));
  } catch (error) {
    if (error instanceof StartError) fail(1, error.chain);
    if (error instanceof UsageError) fail(1, [error.message]);
    throw error;
  }
}

function optionsOf(release: Release, flags: Flags): FakeVmmOptions {
  const one = (flag: string) => flags.values.get(flag)?.[0];
  const config = configOf(release, flags);
  const restore = one("--restore");
  return {
    release: release.name,
    files: process.env["FAKE_VMM_FILES"] === "any" ? "any" : "real",
    guest: guestOf(process.env["FAKE_VMM_GUEST"] ?? "{}"),
    ...socketOf(one("--api-socket")),
    ...monitorOf(one("--event-monitor")),
    ...(config && { boot: config }),
    ...(restore && { restore: restoreOf(restore) }),
  };
}

function guestOf(text: string): GuestScript {
  try {
    return JSON.parse(text) as GuestScript;
  } catch {
    throw new UsageError(`FAKE_VMM_GUEST is no JSON: ${text}`);
  }
}

function socketOf(text: string | undefined): FakeVmmOptions {
  if (text === undefined) return {};
  const parts = options(text);
  const fd = parts.get("fd");
  if (fd !== undefined) return { socketFd: Number(fd) };
  return { socketPath: parts.get("path") ?? text };
}

function monitorOf(text: string | undefined): FakeVmmOptions {
  if (text === undefined) return {};
  const parts = options(text);
  const fd = parts.get("fd");
  if (fd !== undefined) return { eventFd: Number(fd) };
  const path = parts.get("path");
  if (path === undefined) {
    throw new UsageError("Error parsing --event-monitor: path or fd required");
  }
  return { eventFd: openSync(path, "w", 0o600) };
}

function restoreOf(text: string): { source_url: string; resume: boolean } {
  const parts = options(text);
  return {
    source_url: parts.get("source_url") ?? text,
    resume: parts.get("resume") === "true",
  };
}

function fail(code: number, chain: readonly string[]): never {
  const [only] = chain;
  const text = chain.length === 1
    ? `error:\n  ${only}\n`
    : `chain of errors:\n${
      chain.map((message, level) => `  ${level}: ${message}\n`).join("")
    }`;
  process.stderr.write(
    `Error: Cloud Hypervisor exited with the following ${text}`,
  );
  process.exit(code);
}

await main();
