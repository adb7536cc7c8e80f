/** VMMs for the tests of what owns or drives one. */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { guestElf } from "../../examples/guest.ts";
import type { VmConfig } from "../../mod.ts";
import { type ConnectedVmm, connectVmm } from "../../src/process/mod.ts";
import {
  fakeCommand,
  FakeVmm,
  type FakeVmmOptions,
} from "../../testing/mod.ts";
import { BINARY, NO_VMM, testVmm } from "./real_vmm.ts";
import type { RegisterTest } from "./skip.ts";

/** A program that is started as a VMM. */
export interface Program {
  readonly name: string;
  readonly command: string | readonly string[];
  /** Registers a test that needs the program. */
  readonly test: RegisterTest;
}

/** The fake, and the real VMM, whose tests are skipped without one. */
export const programs: readonly Program[] = [
  { name: "the fake", command: fakeCommand(), test },
  {
    name: "a real VMM",
    command: BINARY,
    test: testVmm(BINARY !== "" && opens("/dev/kvm") ? undefined : NO_VMM),
  },
];

/** A directory that is removed after `body`. */
export async function inDirectory<T>(
  body: (directory: string) => T | Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs `body` with a temporary directory of its own, and lists what it left. */
export async function inTemporary(
  directory: string,
  body: () => Promise<void>,
): Promise<string[]> {
  const temporary = join(directory, "temporary");
  mkdirSync(temporary);
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = temporary;
  try {
    await body();
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  }
  return readdirSync(temporary);
}

/** A VM that boots in milliseconds; its guest says a line and halts. */
export function smallVm(directory: string, more: VmConfig = {}): VmConfig {
  const kernel = join(directory, "guest.elf");
  writeFileSync(kernel, guestElf("hello from the guest"));
  return {
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 2, nested: false },
    memory: { size: 64 << 20 },
    console: { mode: "Off" },
    ...more,
  };
}

/** An empty disk image. */
export function sparse(path: string): string {
  writeFileSync(path, "");
  truncateSync(path, 16 << 20);
  return path;
}

/** A fake in this process, and a handle of it with events. */
export interface Faked {
  readonly fake: FakeVmm;
  readonly vmm: ConnectedVmm;
  end(): Promise<void>;
}

/** Starts a fake whose events go to a file of the directory. */
export async function faked(
  directory: string,
  options: FakeVmmOptions = {},
  name = "vmm",
): Promise<Faked> {
  const eventsPath = join(directory, `${name}.events`);
  const fake = await FakeVmm.start({
    files: "any",
    socketPath: join(directory, `${name}.sock`),
    eventsPath,
    ...options,
  });
  const vmm = await connectVmm(fake.socketPath, { eventsPath });
  return {
    fake,
    vmm,
    end: () => fake.close(),
  };
}

/** True if a process runs, and does not only wait to be reaped. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** True if a device can be used. */
export function opens(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
