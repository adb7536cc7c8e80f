/**
 * The whole life of a VM over the API socket: `npm run demo`.
 *
 * Runs against a real cloud-hypervisor where `CLOUD_HYPERVISOR` or `PATH` has
 * one and /dev/kvm can be opened, else against the fake, and says which.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError, type Client, createClient } from "../mod.ts";
import { FakeVmm } from "../testing/mod.ts";
import { guestElf } from "./guest.ts";

const MIB = 1024 * 1024;

async function demo(client: Client, directory: string): Promise<void> {
  const file = (name: string): string => join(directory, name);
  const { vm, vmm } = client;
  writeFileSync(file("guest.elf"), guestElf("hello from the guest"));
  sparse(file("disk.raw"), 16 * MIB);
  sparse(file("data.raw"), 16 * MIB);
  mkdirSync(file("snapshot"), { mode: 0o700 });

  const { version, features } = await vmm.ping();
  say("ping", `${version}, features ${features.join(" ") || "none"}`);

  await vm.create({
    payload: { kernel: file("guest.elf") },
    cpus: { boot_vcpus: 1, max_vcpus: 2, nested: false },
    memory: { size: 128 * MIB },
    disks: [{ path: file("disk.raw"), image_type: "Raw" }],
    serial: { mode: "File", file: file("serial.log") },
    console: { mode: "Off" },
  });
  say("create", "done; nothing is checked before the boot");
  await vm.boot();
  say("boot", "done");

  const info = await vm.info();
  say(
    "info",
    `${info.state}, ${info.config.cpus.boot_vcpus} of ` +
      `${info.config.cpus.max_vcpus} vCPUs, ` +
      `${info.memory_actual_size / MIB} MiB`,
  );
  for (const [id, counters] of Object.entries(await vm.counters())) {
    say("counters", `${id} ${inspect(counters)}`);
  }

  const disk = await vm.addDisk({
    id: "data",
    path: file("data.raw"),
    image_type: "Raw",
  });
  say("add-disk", `${disk?.id} at ${disk?.bdf}`);
  await vm.removeDevice({ id: "data" });
  say("remove-device", "asked; the id is free once the guest lets go");
  await vm.resize({ desired_vcpus: 2 });
  say("resize", "2 vCPUs");

  try {
    await vm.boot();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say("boot again", `refused as ${error.code}: ${error.message}`);
  }

  if (
    await tried("pause", () => vm.pause()) &&
    await tried(
      "snapshot",
      () => vm.snapshot({ destination_url: `file://${file("snapshot")}` }),
    ) &&
    await tried("delete", () => vm.delete()) &&
    await tried(
      "restore",
      () => vm.restore({ source_url: `file://${file("snapshot")}` }),
    )
  ) {
    await tried("resume", () => vm.resume());
  }

  await tried("shutdown", () => vm.shutdown());
  await vmm.shutdown();
  say("vmm shutdown", "done");
}

/** Some hosts refuse a step; that is worth a line, not the end. */
async function tried(
  name: string,
  step: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await step();
    say(name, "done");
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(name, `refused by this host: ${error.message}`);
    return false;
  }
}

interface Vmm {
  /** What it is, for the reader. */
  readonly name: string;
  /** Resolves when it listens, and rejects when it ended before. */
  readonly ready: Promise<void>;
  /** Ends it at once; synchronous, for the exit of a script. */
  kill(): void;
}

async function start(socketPath: string): Promise<Vmm> {
  const binary = findBinary();
  if (binary !== undefined && allows("/dev/kvm")) {
    const child = spawn(binary, ["--api-socket", `path=${socketPath}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const kill = (): void => {
      child.kill("SIGKILL");
    };
    return { name: binary, ready: answering(child, socketPath), kill };
  }
  const reason = binary === undefined
    ? "no cloud-hypervisor in CLOUD_HYPERVISOR or PATH"
    : "/dev/kvm cannot be opened";
  const fake = await FakeVmm.start({ socketPath });
  return {
    name: `the fake (${reason})`,
    ready: Promise.resolve(),
    kill: () => void fake.close(),
  };
}

async function answering(
  child: ChildProcess,
  socketPath: string,
): Promise<void> {
  const client = createClient(socketPath);
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`The VMM ended with ${signal ?? `code ${code}`}`));
    });
  });
  ended.catch(() => {});
  for (;;) {
    try {
      await Promise.race([client.vmm.ping(), ended]);
      return;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code !== "socket_missing" && code !== "refused") throw error;
      await Promise.race([delay(10), ended]);
    }
  }
}

function findBinary(): string | undefined {
  const given = process.env.CLOUD_HYPERVISOR;
  if (given) return given;
  return (process.env.PATH ?? "").split(delimiter)
    .map((directory) => join(directory, "cloud-hypervisor"))
    .find((path) => allows(path, constants.X_OK));
}

function allows(path: string, mode = constants.R_OK | constants.W_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function sparse(path: string, size: number): void {
  writeFileSync(path, "");
  truncateSync(path, size);
}

function inspect(counters: { [name: string]: bigint | undefined }): string {
  return Object.entries(counters).map((pair) => pair.join(" ")).join(", ");
}

function say(what: string, result: string): void {
  console.log(`${what.padEnd(14)} ${result}`);
}

const directory = mkdtempSync(join(tmpdir(), "chv-demo-"));
let vmm: Vmm | undefined;
const cleanUp = (): void => {
  vmm?.kill();
  rmSync(directory, { recursive: true, force: true });
};
process.once("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });
}

try {
  const socketPath = join(directory, "api.sock");
  vmm = await start(socketPath);
  say("VMM", vmm.name);
  await vmm.ready;
  await demo(createClient(socketPath), directory);
} finally {
  cleanUp();
}
