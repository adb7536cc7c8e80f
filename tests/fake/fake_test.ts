/** The public functions of the fake VMM. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import {
  FakeClock,
  fakeCommand,
  fakeProgram,
  FakeVmm,
  type FakeVmmOptions,
  StartError,
} from "../../testing/mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import {
  newestRelease,
  releaseNames,
  releases,
} from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { freePort } from "../support/port.ts";
import { exchange, workspace } from "./replay.ts";

const kernel = { payload: { kernel: "/boot/vmlinux" } };

interface Space {
  readonly vmm: FakeVmm;
  put(operation: string, body?: unknown): Promise<number | undefined>;
  get(operation: string): Promise<unknown>;
}

async function started(
  options: FakeVmmOptions,
  body: (space: Space) => Promise<void>,
): Promise<void> {
  const vmm = await FakeVmm.start({ files: "any", ...options });
  const ask = (method: string, operation: string, body?: unknown) =>
    exchange(vmm.socketPath, {
      method,
      path: `/api/v1/${operation}`,
      ...(body !== undefined && { body }),
    }, "");
  try {
    await body({
      vmm,
      put: async (name, body) => (await ask("PUT", name, body)).status,
      get: async (name) => (await ask("GET", name)).body,
    });
  } finally {
    await vmm.close();
  }
}

test("FakeVmm.start() listens in a private directory, which close() removes", async () => {
  const vmm = await FakeVmm.start();
  const directory = dirname(vmm.socketPath);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(vmm.socketPath).mode & 0o777, 0o700);
  await vmm[Symbol.asyncDispose]();
  assert.equal(existsSync(directory), false);
  assert.deepEqual(await vmm.exited, { code: 0, signal: null });
});

test("FakeVmm.start() refuses a path in use, and replaces a dead socket", async () => {
  const space = workspace();
  const socketPath = join(space.path, "api.sock");
  const first = await FakeVmm.start({ socketPath });
  await assert.rejects(FakeVmm.start({ socketPath }), (error: StartError) => {
    assert.ok(error instanceof StartError);
    return /already in use/.test(error.message);
  });
  await first.crash();
  assert.ok(existsSync(socketPath));
  const second = await FakeVmm.start({ socketPath });
  await second.close();
  assert.equal(existsSync(socketPath), false);
  space.remove();
});

test("FakeVmm.start() refuses unknown releases and operations", async () => {
  await assert.rejects(
    FakeVmm.start({ release: "v1.0" as ReleaseName }),
    new RegExp(`no release is called "v1.0": .*${releaseNames[0]}`),
  );
  await assert.rejects(
    FakeVmm.start({
      faults: [{ operation: "vm.bot" as "vm.boot", fault: "hang" }],
    }),
    /no operation is called "vm.bot"/,
  );
});

test("FakeVmm.start({ boot }) starts with a running VM", () =>
  started({ boot: kernel }, async ({ get }) => {
    assert.equal((await get("vm.info") as { state: string }).state, "Running");
  }));

test("FakeVmm.requests has each request with its status", () =>
  started({}, async ({ vmm, put }) => {
    await put("vm.create", kernel);
    await put("vm.nope");
    assert.deepEqual(vmm.requests, [
      {
        method: "PUT",
        path: "/api/v1/vm.create",
        operation: "vm.create",
        body: '{"payload": {"kernel": "/boot/vmlinux"}}',
        status: 204,
      },
      {
        method: "PUT",
        path: "/api/v1/vm.nope",
        operation: undefined,
        body: "",
        status: 404,
      },
    ]);
  }));

test("FakeVmm.injectFault() meets the given operation as often as asked", () =>
  started({}, async ({ vmm, put, get }) => {
    const chain = ["Error from API", "no more disks"];
    vmm.injectFault({
      operation: "vm.create",
      after: 1,
      times: 2,
      fault: { status: 500, chain },
    });
    const statuses: unknown[] = [];
    for (let count = 0; count < 4; count++) {
      statuses.push(await put("vm.create", kernel));
      await put("vm.delete");
    }
    assert.deepEqual(statuses, [204, 500, 500, 204]);
    vmm.injectFault({ fault: { cut: "after" } });
    assert.equal(await put("vm.create", kernel), undefined);
    assert.equal((await get("vm.info") as { state: string }).state, "Created");
    vmm.injectFault({ fault: { cut: "before" } });
    assert.equal(await put("vm.delete"), undefined);
    assert.equal((await get("vm.info") as { state: string }).state, "Created");
    vmm.injectFault({ times: Infinity, fault: { cut: "before" } });
    vmm.clearFaults();
    assert.equal(await put("vm.delete"), 204);
  }));

test("FakeVmm.injectFault() ends the VMM and leaves its socket", () =>
  started({}, async ({ vmm, put }) => {
    vmm.injectFault({ operation: "vm.boot", fault: "crash" });
    await put("vm.create", kernel);
    assert.equal(await put("vm.boot"), undefined);
    assert.deepEqual(await vmm.exited, { code: null, signal: "SIGKILL" });
    assert.ok(existsSync(vmm.socketPath));
  }));

test("FakeVmm ends when endsAfterMs has passed", async () => {
  const clock = new FakeClock();
  await started(
    { clock, guest: { endsAfterMs: 1000 }, boot: kernel },
    async ({ vmm, put }) => {
      clock.advance(999);
      assert.equal(await put("vm.pause"), 204);
      clock.advance(1);
      assert.deepEqual(await vmm.exited, { code: 0, signal: null });
    },
  );
});

test("FakeClock.advance() runs delays and the actions of the guest", async () => {
  const clock = new FakeClock();
  const boot = { ...kernel, cpus: { boot_vcpus: 2, max_vcpus: 4 } };
  const guest = { releasesDeviceAfterMs: 5000, dropsVcpusAfterMs: 50 };
  await started({ clock, guest, boot }, async ({ vmm, put }) => {
    await put("vm.add-disk", { path: "/a", id: "a" });
    await put("vm.remove-device", { id: "a" });
    clock.advance(4999);
    assert.equal(vmm.events.at(-1)!.event, "booted");
    clock.advance(1);
    assert.equal(vmm.events.at(-1)!.event, "device-removed");
    assert.equal(vmm.events.at(-1)!.timestamp.secs, 5);

    await put("vm.resize", { desired_vcpus: 1 });
    assert.equal(await put("vm.resize", { desired_vcpus: 2 }), 204);
    assert.equal(await put("vm.resize", { desired_vcpus: 3 }), 429);
    clock.advance(50);
    assert.equal(await put("vm.resize", { desired_vcpus: 3 }), 204);

    vmm.injectFault({ operation: "vmm.ping", fault: { delayMs: 1000 } });
    const late = put("vmm.ping");
    while (vmm.requests.at(-1)!.operation !== "vmm.ping") {
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(1000);
    assert.equal(await late, 400);
  });
});

test("FakeVmm ends when the power button makes its guest power off", () =>
  started({ guest: { powersOffAfterMs: 0 }, boot: kernel }, async (space) => {
    assert.equal(await space.put("vm.power-button"), 204);
    assert.deepEqual(await space.vmm.exited, { code: 0, signal: null });
    const names = space.vmm.events.map(({ source, event }) =>
      `${source} ${event}`
    );
    assert.deepEqual(names.slice(-3), [
      "vm shutdown",
      "vm deleted",
      "vmm shutdown",
    ]);
  }));

test("FakeVmm.guest panics and reboots on demand", () =>
  started({ boot: { ...kernel, pvpanic: true } }, async ({ vmm, get }) => {
    vmm.guest.perform("panic");
    assert.deepEqual((await vmm.event("panic")).properties, { event: "panic" });
    vmm.guest.perform("reboot");
    await vmm.event("rebooted");
    assert.equal((await get("vm.info") as { state: string }).state, "Running");
  }));

test("FakeVmm.recordTraffic() counts in vm.counters", () => {
  const boot = { ...kernel, disks: [{ path: "/a", id: "a" }], net: [{}] };
  return started({ boot }, async ({ vmm, get }) => {
    vmm.recordTraffic("a", "read", { ops: 3, bytes: 12288, latencyUs: 40 });
    vmm.recordTraffic("_net0", "tx", { bytes: 60 });
    const counters = await get("vm.counters") as Record<string, object>;
    assert.deepEqual({ ...counters["a"] }, {
      read_bytes: 12288,
      read_ops: 3,
      read_latency_min: 40,
      read_latency_max: 40,
      read_latency_avg: 40,
      write_bytes: 0,
      write_ops: 0,
      write_latency_min: 18446744073709551615n,
      write_latency_max: 18446744073709551615n,
      write_latency_avg: 1844674407370955,
    });
    assert.deepEqual({ ...counters["_net0"] }, {
      rx_bytes: 0,
      rx_frames: 0,
      tx_bytes: 60,
      tx_frames: 1,
    });
    assert.throws(
      () => vmm.recordTraffic("b", "read", { bytes: 1 }),
      /no disk of a booted VM is called b/,
    );
  });
});

for (const kind of ["unix", "tcp"] as const) {
  test(`FakeVmm migrates to another over ${kind}`, async () => {
    const space = workspace();
    const boot = { ...kernel, disks: [{ path: join(space.path, "disk.img") }] };
    const url = kind === "unix"
      ? `unix:${space.path}/m`
      : `tcp:127.0.0.1:${await freePort()}`;
    await started({}, (there) =>
      started({ boot }, async (here) => {
        const received = there.put("vm.receive-migration", {
          receiver_url: url,
        });
        await there.vmm.event("migration-receive-ready");
        const before = await here.get("vm.info") as { device_tree: object };
        assert.equal(
          await here.put("vm.send-migration", { destination_url: url }),
          204,
        );
        assert.equal(await received, 204);
        assert.deepEqual(await here.vmm.exited, { code: 0, signal: null });
        assert.deepEqual(await there.get("vm.info"), before);
        const names = (vmm: FakeVmm) => vmm.events.map(({ event }) => event);
        assert.deepEqual(names(here.vmm).slice(3), [
          "migration-started",
          "migration-memory-iteration",
          "pausing",
          "paused",
          "snapshotting",
          "snapshotted",
          "migration-finished",
          "deleted",
          "shutdown",
        ]);
        assert.deepEqual(names(there.vmm).slice(1), [
          "migration-receive-ready",
          "migration-receive-started",
          "restoring",
          "restored",
          "resuming",
          "resumed",
          "migration-receive-finished",
        ]);
      }));
    space.remove();
  });
}

test("FakeVmm keeps its VM running when a migration finds no receiver", () =>
  started({ boot: kernel }, async ({ vmm, put, get }) => {
    const destination_url = "unix:/nowhere/at/all";
    assert.equal(await put("vm.send-migration", { destination_url }), 204);
    await vmm.event("migration-failed");
    assert.equal((await get("vm.info") as { state: string }).state, "Running");
  }));

test("fakeCommand() starts the stand-in program, which obeys its flags", async () => {
  const space = workspace();
  const socketPath = join(space.path, "api.sock");
  const events = join(space.path, "events");
  const vmm = run([
    "--api-socket",
    `path=${socketPath}`,
    "--event-monitor",
    `path=${events}`,
    "--kernel",
    join(space.path, "guest.elf"),
    "--cpus",
    "boot=2,max=4",
    "--memory",
    "size=1G,shared=on",
  ]);
  const ask = { method: "GET", path: "/api/v1/vm.info" };
  let body: unknown;
  while (body === undefined) {
    const answer = await exchange(socketPath, ask, space.path);
    if (answer.status === 200) body = answer.body;
  }
  const { config, state } = body as {
    config: { cpus: object; memory: object };
    state: string;
  };
  assert.equal(state, "Running");
  assert.match(JSON.stringify(config.cpus), /"boot_vcpus":2,"max_vcpus":4/);
  assert.match(JSON.stringify(config.memory), /"size":1073741824/);
  // Deno's own `kill()` would name the signal instead of the exit code.
  process.kill(vmm.child.pid!, "SIGTERM");
  assert.equal((await vmm.ended).code, 0);
  assert.equal(existsSync(socketPath), false);
  assert.ok(existsSync(`${socketPath}.lock`));
  assert.match(
    readFileSync(events, "utf8"),
    /^\{\n {2}"timestamp": \{\n {4}"secs": 0,\n {4}"nanos": \d+\n {2}\},\n {2}"source": "vmm",\n {2}"event": "starting",\n {2}"properties": null\n\}\n\n\{/,
  );
  space.remove();
});

test("fakeProgram() passes its options to the stand-in program", async () => {
  const guest = { endsAfterMs: 1 };
  const vmm = await spawnVmm({
    ...fakeProgram({ release: releaseNames.at(-1)!, files: "any", guest }),
    config: kernel,
  });
  assert.deepEqual((await vmm.exited).exitCode, 0);
  await vmm.kill();
  assert.deepEqual(fakeProgram().env, {});
});

test("the stand-in program has the exit codes and messages of the binary", async () => {
  const space = workspace();
  const socket = join(space.path, "api.sock");
  assert.deepEqual(await run(["--version"]).ended, {
    code: 0,
    text: `cloud-hypervisor ${releases[newestRelease].buildVersion}\n` +
      "Migration Protocol Versions: 0\n",
  });
  assert.equal((await run(["--bogus"]).ended).code, 2);
  assert.deepEqual(
    await run(["--api-socket", socket, "--kernel", "/nope"]).ended,
    {
      code: 1,
      text: "Error: Cloud Hypervisor exited with the following chain of " +
        "errors:\n  0: Error booting VM\n  1: The VM could not boot\n" +
        "  2: Cannot open kernel file\n" +
        "  3: No such file or directory (os error 2)\n",
    },
  );
  const vmm = await FakeVmm.start({ socketPath: socket });
  assert.equal((await run(["--api-socket", socket]).ended).code, 1);
  await vmm.close();
  space.remove();
});

function run(flags: string[]) {
  const [program, ...args] = fakeCommand();
  const child = spawn(program!, [...args, ...flags]);
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  const ended = new Promise<{ code: number | null; text: string }>(
    (resolve) => child.on("close", (code) => resolve({ code, text })),
  );
  return { child, ended };
}
