/** A snapshot that is taken again, also after the script was killed. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { createClient, unixFetch } from "../../mod.ts";
import { snapshotVm } from "../../src/workflows/mod.ts";
import { running, type RunningVm, stateOf } from "../support/running_vm.ts";
import { identify } from "../../src/vmm/process_id.ts";
import { inDirectory } from "../support/vmms.ts";

/** The owner of a note whose process has ended. */
const KILLED = { id: "a", process: { pid: process.pid, start: "boot 1" } };

/** The files that a killed snapshot leaves beside the VMM and its target. */
async function leaveKilled(
  { vmm, directory }: RunningVm,
  options: { resume?: boolean; pid?: number; eventsOffset?: number } = {},
): Promise<void> {
  const { resume = true, eventsOffset } = options;
  const partial = join(directory, "a.partial");
  const { socketPath } = vmm;
  const { ino, mtimeMs } = statSync(socketPath);
  const { pid } = await vmm.client.vmm.ping();
  const identity = {
    pid: options.pid ?? pid,
    socketPath,
    inode: ino,
    boundAt: Math.trunc(mtimeMs),
  };
  const task = { vmm: identity, partial, resume, eventsOffset };
  const lines = [KILLED, { id: "a", task }].map((line) => JSON.stringify(line));
  writeFileSync(`${socketPath}.workflow`, `${lines.join("\n")}\n`);
  mkdirSync(partial);
  const record = { owner: KILLED, vmm: identity };
  writeFileSync(join(partial, "snapshot.json"), JSON.stringify(record));
  writeFileSync(join(partial, "half a disk"), "");
}

/** Asserts that only these files are beside the VMM. */
function assertFiles({ directory }: RunningVm, names: readonly string[]): void {
  const files = readdirSync(directory).filter((name) =>
    !/^vmm\.(events|sock)(\.lock)?$/.test(name)
  );
  assert.deepEqual(files.sort(), names);
}

test("snapshotVm() finds the complete snapshot of an earlier call", () =>
  running(async (vm) => {
    const { fake, vmm, directory } = vm;
    const target = join(directory, "a");
    const first = await snapshotVm(vmm, target);
    assert.equal(first.outcome, "taken");
    const { events } = fake;
    const again = await snapshotVm(vmm, target);
    assert.deepEqual(again, { ...first, outcome: "found" });
    assert.equal(fake.events.length, events.length);
    assertFiles(vm, ["a"]);
  }));

test("snapshotVm() does not take the snapshot of another VMM for its own", () =>
  running(async ({ vmm, directory }) => {
    const target = join(directory, "a");
    await snapshotVm(vmm, target);
    const path = join(target, "snapshot.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/"inode": \d+/, '"inode": 1'));
    await assert.rejects(snapshotVm(vmm, target), {
      field: "directory",
      message: /is not empty: it contains/,
    });
  }));

for (const name of ["a", "b"]) {
  test(`snapshotVm() after a killed one, to ${name === "a" ? "the same" : "another"} directory`, () =>
    running(async (vm) => {
      const { vmm, directory } = vm;
      await leaveKilled(vm);
      await vmm.client.vm.pause();
      const { outcome } = await snapshotVm(vmm, join(directory, name));
      assert.equal(outcome, "taken");
      assert.equal(await stateOf(vm), "Running");
      assert.equal(existsSync(join(directory, name, "half a disk")), false);
      assertFiles(vm, [name]);
    }));
}

const PAUSED_BY_USER: readonly {
  readonly name: string;
  prepare(vm: RunningVm): Promise<unknown>;
}[] = [
  {
    name: "before the killed snapshot",
    prepare: (vm) => leaveKilled(vm, { resume: false }),
  },
  {
    name: "in a later VMM",
    prepare: (vm) => leaveKilled(vm, { pid: 1 }),
  },
  {
    name: "after another program had resumed it",
    async prepare(vm) {
      await leaveKilled(vm, { eventsOffset: 0 });
      await vm.vmm.client.vm.pause();
      await vm.vmm.client.vm.resume();
    },
  },
];

for (const { name, prepare } of PAUSED_BY_USER) {
  test(`snapshotVm() leaves a VM paused that its user paused ${name}`, () =>
    running(async (vm) => {
      await prepare(vm);
      await vm.vmm.client.vm.pause();
      await snapshotVm(vm.vmm, join(vm.directory, "a"));
      assert.equal(await stateOf(vm), "Paused");
      assertFiles(vm, ["a"]);
    }));
}

test("snapshotVm() leaves a VM paused that is paused just before", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const send = unixFetch(vmm.socketPath);
    const client = createClient(vmm.socketPath, {
      async fetch(url, init) {
        if (url.endsWith("/vm.pause")) await vmm.client.vm.pause();
        return await send(url, init);
      },
    });
    await snapshotVm(client, join(directory, "a"));
    assert.equal(await stateOf(vm), "Paused");
    assertFiles(vm, ["a"]);
  }));

test("snapshotVm() twice at once takes one snapshot after the other", () =>
  running(async (vm) => {
    const { fake, vmm, directory } = vm;
    const targets = ["a", "b", "a"].map((name) => join(directory, name));
    const results = await Promise.all(
      targets.map((path) => snapshotVm(vmm, path)),
    );
    const outcomes = results.map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, ["found", "taken", "taken"]);
    const states = fake.events.map(({ event }) => event)
      .filter((event) => event === "paused" || event === "resumed");
    assert.deepEqual(states, ["paused", "resumed", "paused", "resumed"]);
    assertFiles(vm, ["a", "b"]);
  }));

test("snapshotVm() aborted while it waits for another one", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const reason = new Error("enough");
    const controller = new AbortController();
    let second: Promise<unknown> | undefined;
    const whilePaused = async () => {
      const { signal } = controller;
      second = snapshotVm(vmm, join(directory, "b"), { signal });
      second.catch(() => {});
      await vmm.client.vmm.ping();
      controller.abort(reason);
      await assert.rejects(second, (error) => error === reason);
    };
    await snapshotVm(vmm, join(directory, "a"), { whilePaused });
    assert.ok(second);
    assertFiles(vm, ["a"]);
  }));

test("snapshotVm() rejects when the VM is resumed while it copies", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const whilePaused = () => vmm.client.vm.resume();
    await assert.rejects(
      snapshotVm(vmm, join(directory, "a"), { whilePaused }),
      { code: "invalid_request", field: "vmm" },
    );
    assert.equal(await stateOf(vm), "Running");
    assertFiles(vm, []);
  }));

test("snapshotVm() keeps a foreign directory that has the name of its own", () =>
  running(async (vm) => {
    const { vmm, directory } = vm;
    const partial = join(directory, "a.partial");
    mkdirSync(partial);
    writeFileSync(join(partial, "mine"), "");
    await assert.rejects(snapshotVm(vmm, join(directory, "a")), {
      field: "directory",
      message: /a\.partial" exists, and is no snapshot that was interrupted$/,
    });
    // Another script writes to the same place.
    const owner = { id: "b", process: identify(process.pid) };
    const record = JSON.stringify({ owner, vmm: { pid: 1 } });
    writeFileSync(join(partial, "snapshot.json"), record);
    await assert.rejects(snapshotVm(vmm, join(directory, "a")), {
      message: /the process \d+ writes another snapshot to ".*a\.partial"$/,
    });
    assert.equal(await stateOf(vm), "Running");
    assertFiles(vm, ["a.partial"]);
    assert.deepEqual(readdirSync(partial).sort(), ["mine", "snapshot.json"]);
  }));

test("snapshotVm() keeps its note beside the target where it must", () =>
  inDirectory((elsewhere) =>
    running(async (vm) => {
      const fetch = unixFetch(vm.vmm.socketPath);
      const client = createClient("/no/such/place/api.sock", { fetch });
      const target = join(elsewhere, "a");
      let files: string[] = [];
      const whilePaused = () => {
        files = readdirSync(elsewhere);
      };
      await snapshotVm(client, target, { whilePaused });
      assert.deepEqual(files.sort(), ["a.partial", "a.workflow"]);
      assert.deepEqual(readdirSync(elsewhere), ["a"]);
    })
  ));

test("snapshotVm() keeps the mode of an empty directory", () =>
  running(async ({ vmm, directory }) => {
    const target = join(directory, "a");
    mkdirSync(target);
    chmodSync(target, 0o750);
    await snapshotVm(vmm, target);
    assert.equal(statSync(target).mode & 0o777, 0o750);
  }));
