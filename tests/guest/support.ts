/** VMs with the small guest, whose program is built here. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { VmConfig } from "../../mod.ts";
import {
  spawnVmm,
  type SpawnVmmOptions,
  type VmmProcess,
} from "../../src/process/mod.ts";
import { fakeProgram } from "../../testing/mod.ts";
import type { GuestConsole } from "../../src/guest/mod.ts";
import {
  BINARY,
  MAJOR,
  NO_VMM,
  olderThan,
  testVmm,
} from "../support/real_vmm.ts";
import { type RegisterTest, testIf } from "../support/skip.ts";
import { opens } from "../support/vmms.ts";

/** A VM whose guest can be reached. */
export interface GuestVm {
  readonly vmm: VmmProcess;
  /** The configuration that `vm.create` got. */
  readonly config: VmConfig;
  /** The path of `vsock.socket`. */
  readonly vsock: string;
  /** The path of `serial.socket`. */
  readonly serial: string;
}

/** Something that runs the guest. */
export interface Host {
  readonly name: string;
  /** Registers a test, which is skipped where the guest cannot run. */
  readonly test: RegisterTest;
  /** Registers a test that real VMMs before a release cannot pass. */
  testSince(major: number, lack: string): RegisterTest;
  /** Starts a VMM, creates the VM, and runs `body`; it may boot the VM. */
  with(
    body: (vm: GuestVm) => Promise<void>,
    more?: VmConfig,
  ): Promise<void>;
}

const FAKE = fakeProgram({
  files: "any",
  guest: new URL("./scripted_guest.ts", import.meta.url),
});

/** The reason of tests that need all output, up to v52.0. */
export const LOSES_OUTPUT: string =
  "it loses what the serial port writes while nobody is connected";

/**
 * The reason of tests with several clients of a serial port, before v50.0: each
 * client that has left makes the port slower, and lets `vm.reboot` wait.
 */
export const KEEPS_CLIENTS: string =
  "it goes on reading the connections of serial clients that have left";

/** The reason of tests that read a pty before they type, before v50.0. */
export const PTY_WAITS: string =
  "a pseudoterminal gives no output before somebody types";

export const hosts: readonly Host[] = [
  {
    name: "the fake",
    test: testIf(true, ""),
    testSince: () => testIf(true, ""),
    with: (body, more) =>
      withVm({ ...FAKE, kernel: "/boot/vmlinux" }, body, more),
  },
  {
    name: "a real VMM",
    test: testVmm(missing()),
    testSince: (major, lack) => testVmm(missing() ?? olderThan(major, lack)),
    with: (body, more) =>
      withVm({ command: BINARY, kernel: guestProgram() }, body, more),
  },
];

/** A host, for tests that start its program by themselves. */
export interface Spawner extends Pick<Host, "name" | "test" | "testSince"> {
  readonly program: SpawnVmmOptions;
  readonly kernel: () => string;
}

export const spawners: readonly Spawner[] = hosts.map((host, index) => ({
  name: host.name,
  test: host.test,
  testSince: host.testSince,
  program: index === 0 ? FAKE : { command: BINARY },
  kernel: index === 0 ? () => "/boot/vmlinux" : guestProgram,
}));

async function withVm(
  { kernel, ...program }: SpawnVmmOptions & { readonly kernel: string },
  body: (vm: GuestVm) => Promise<void>,
  more: VmConfig = {},
): Promise<void> {
  const vmm = await spawnVmm(program);
  try {
    const vsock = join(vmm.directory, "vsock");
    const serial = join(vmm.directory, "serial");
    const config: VmConfig = {
      payload: { kernel },
      cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
      memory: { size: 64 << 20 },
      serial: { mode: "Socket", socket: serial },
      console: { mode: "Off" },
      vsock: { cid: 3, socket: vsock },
      ...more,
    };
    await vmm.client.vm.create(config);
    await body({ vmm, config, vsock, serial });
  } finally {
    await vmm.kill();
    vmm.client.close();
  }
}

/** The reason why the guest cannot run. */
function missing(): string | undefined {
  if (BINARY === "" || !opens("/dev/kvm")) return NO_VMM;
  return hasCompiler() ? undefined : "there is no C compiler for x86_64";
}

/** True where the tools that build the guest are installed. */
export function hasCompiler(): boolean {
  return process.arch === "x64" &&
    spawnSync("gcc", ["--version"]).status === 0 &&
    spawnSync("ld", ["--version"]).status === 0;
}

/**
 * Waits for the guest's prompt after a boot. Before v53.0 the VMM can lose that
 * prompt: then the function types for another.
 */
export async function waitForPrompt(console: GuestConsole): Promise<void> {
  for (let typed = 0; isOld && typed < 20; typed++) {
    try {
      return void await console.waitFor(PROMPT, { timeoutMs: 1000 });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "deadline") throw error;
    }
    await console.write("\n");
  }
  await console.waitFor(PROMPT, { timeoutMs: 20_000 });
}

const PROMPT = "guest login: ";
const isOld = MAJOR !== undefined && MAJOR < 53;

let built: string | undefined;

/** The guest's program; built once in a process. */
export function guestProgram(): string {
  if (built) return built;
  const directory = mkdtempSync(join(tmpdir(), "chv-guest-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const output = join(directory, "guest.elf");
  const script = fileURLToPath(new URL("./program/build.sh", import.meta.url));
  const { status, stderr } = spawnSync("sh", [script, output]);
  if (status !== 0 || !existsSync(output)) throw new Error(String(stderr));
  return built = output;
}

/** The rest of a stream, as text. */
export async function textOf(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

/** Writes one text. */
export async function send(
  stream: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
  } finally {
    writer.releaseLock();
  }
}

/** Reads until a line is complete, and leaves the stream open. */
export async function readLine(
  stream: ReadableStream<Uint8Array>,
): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
  return text;
}
