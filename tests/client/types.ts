/** Code that must compile, and, below `@ts-expect-error`, code that must not. */
import {
  type Client,
  type ConsoleMode,
  createClient,
  type ImageType,
  type VmConfig,
  type VmState,
} from "../../mod.ts";
import type { VmmEvent } from "../../src/events/mod.ts";
import { connectVmm, type VmmProcess } from "../../src/process/mod.ts";
import {
  migrateVm,
  snapshotVm,
  waitForEvent,
  waitForState,
} from "../../src/workflows/mod.ts";

export async function uses(): Promise<unknown[]> {
  const client = createClient("/run/vm0/api.sock", {
    timeoutMs: { "vm.add-disk": 1, "vm.boot": Infinity },
  });
  const { vm } = client;

  // What was read can be given back.
  const { config, state } = await vm.info();
  await vm.create(config);
  const boot: number = config.cpus.boot_vcpus;
  const size: number | bigint = config.memory.size;
  const read: bigint | undefined = (await vm.counters())["_disk0"]?.read_bytes;

  await vm.create({ memory: { size: 2n ** 40n, thp: false } });
  await vm.create({ memory: { size: 1024 ** 3 } });
  await vm.addDisk({ path: "/a", image_type: "Raw" }, { timeoutMs: 5 });

  // The operations are plain functions: they can be taken apart and wrapped.
  const { boot: start } = client.vm;
  const wrapped: Client = {
    ...client,
    vm: { ...client.vm, boot: (options) => start(options) },
  };
  await wrapped.vm.boot({ timeoutMs: 1 });
  // @ts-expect-error: a wrapper with a method of another type
  const misfit: Client = { ...client, vm: { ...client.vm, boot: () => 1 } };

  // A later release may be in a state that is not listed.
  if (state === "Hibernated") return [];
  const named: VmState = "Hibernated";
  const kind: ImageType | undefined = config.disks?.[0]?.image_type;
  if (kind !== undefined) await vm.addDisk({ image_type: kind });

  // @ts-expect-error: no such key
  await vm.create({ memroy: { size: 1 } });
  // @ts-expect-error: no such key, deeper
  await vm.create({ memory: { size: 1, hugepage: true } });
  // @ts-expect-error: a size in words
  await vm.create({ memory: { size: "1G" } });
  // @ts-expect-error: the size is missing
  await vm.create({ memory: {} });
  // @ts-expect-error: the mode is missing
  await vm.create({ serial: { file: "/tmp/log" } });
  // @ts-expect-error: no such mode
  await vm.create({ serial: { mode: "file", file: "/tmp/log" } });
  // @ts-expect-error: no such format
  await vm.addDisk({ path: "/a", image_type: "Vmdk" });
  // @ts-expect-error: no configuration
  await vm.create();
  // @ts-expect-error: boot takes no body
  await vm.boot({ payload: {} });
  // @ts-expect-error: counts are no bigints
  await vm.resize({ desired_vcpus: 2n });
  // @ts-expect-error: counters are bigints
  const wrong: number | undefined = read;
  // @ts-expect-error: a device of a VM that is not booted has no address
  (await vm.addDisk({ path: "/a" })).bdf;
  // @ts-expect-error: no such operation
  createClient("/a", { timeoutMs: { "vm.bot": 1 } });
  // @ts-expect-error: a list of states that is taken for complete
  const complete: "Created" | "Running" | "Paused" = state;
  // @ts-expect-error: no such mode
  const mode: ConsoleMode = "Tcp";
  // @ts-expect-error: a list of modes that is taken for complete
  const modes: "Off" | "Tty" | "Pty" | "File" | "Socket" | "Null" = config
    .console.mode;

  const whole: VmConfig = config;
  return [boot, size, named, wrong, complete, mode, modes, whole, misfit];
}

export function events(event: VmmEvent): unknown[] {
  if (event.source === "vm" && event.event === "device-removed") {
    const { id, bdf }: { id: string; bdf: string } = event.properties;
    return [id, bdf];
  }
  if (event.event === "unreadable") {
    const bytes: Uint8Array = event.properties.bytes;
    return [bytes];
  }
  // A later release may report something new.
  if (event.event === "unlisted") {
    const { source, event: name } = event.properties;
    return [source, name === "something-new"];
  }
  if (event.source === "vm" && event.event === "booted") {
    const none: null = event.properties;
    return [none];
  }
  // @ts-expect-error: both the VM and the VMM have one
  const shutdown: "vm" = event.event === "shutdown" && event.source;
  return [shutdown];
}

export async function handles(process: VmmProcess): Promise<unknown[]> {
  const vmm = await connectVmm("/run/vm0/api.sock");
  const { properties } = await waitForEvent(vmm, {
    source: "vm",
    event: "migration-memory-iteration",
  });
  const id: string = properties.id;
  await snapshotVm(vmm, "/a");
  await snapshotVm(vmm.client, "/a");
  await migrateVm(process, { client: vmm.client });
  const { state } = await waitForState(process, "Running");
  const code: number | null = (await process.exited).exitCode;
  // @ts-expect-error: a VMM of which only the socket is known is not killed
  await vmm.kill();
  const pid: number | undefined = (await connectVmm(process.toJSON())).pid;
  return [id, state, code, pid];
}
