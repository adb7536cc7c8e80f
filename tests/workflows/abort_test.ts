/** Each step of each workflow obeys its signal, and no refusal leaks. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { test } from "node:test";
import { type Client, createClient, unixFetch } from "../../mod.ts";
import { connectVmm, spawnVmm } from "../../src/process/mod.ts";
import {
  arrivedVm,
  cloneSnapshot,
  ensureVm,
  migrateVm,
  ownPaths,
  receiveVm,
  removeDeviceAndWait,
  replaceConfig,
  resizeAndWait,
  restoreVm,
  sendVm,
  snapshotVm,
  waitForDeviceRemoved,
  waitForEnd,
  waitForEvent,
  waitForState,
  waitForVmm,
} from "../../src/workflows/mod.ts";
import { inTemporary } from "../support/vmms.ts";
import { running, type RunningVm, VM } from "../support/running_vm.ts";

interface Workflow {
  readonly name: string;
  prepare?(vm: RunningVm): Promise<unknown>;
  run(client: Client, signal: AbortSignal, vm: RunningVm): Promise<unknown>;
  /** The steps that an abort must not interrupt. */
  readonly whole?: readonly string[];
}

const WORKFLOWS: readonly Workflow[] = [
  {
    name: "snapshotVm",
    run: (client, signal, { directory }) =>
      snapshotVm(client, join(directory, "snapshot"), { signal }),
    whole: ["vm.resume"],
  },
  {
    name: "restoreVm",
    async prepare({ vmm, directory }) {
      await snapshotVm(vmm, join(directory, "snapshot"));
      await vmm.client.vm.delete();
    },
    run: (client, signal, { directory }) =>
      restoreVm(client, join(directory, "snapshot"), { signal }),
  },
  {
    name: "restoreVm of a clone",
    async prepare({ vmm, directory }) {
      await snapshotVm(vmm, join(directory, "snapshot"));
      await vmm.client.vm.delete();
      mkdirSync(join(directory, "clone"));
    },
    async run(client, signal, { directory }) {
      const home = join(directory, "clone");
      const options = {
        config: ownPaths(home),
        memory_restore_mode: "OnDemand",
        onCopy() {},
        signal,
      } as const;
      try {
        const vmm = { client, directory: home };
        await restoreVm(vmm, join(directory, "snapshot"), options);
      } finally {
        assert.deepEqual(readdirSync(home), []);
      }
    },
  },
  {
    name: "replaceConfig",
    run: (client, signal) => replaceConfig(client, VM, { signal }),
    whole: ["vm.delete"],
  },
  {
    name: "ensureVm",
    prepare: ({ vmm }) => vmm.client.vm.shutdown(),
    run: (client, signal) => ensureVm(client, VM, { signal }),
    whole: ["vm.delete"],
  },
  {
    name: "resizeAndWait",
    run: (client, signal) =>
      resizeAndWait(client, { desired_vcpus: 1 }, { signal }),
  },
  {
    name: "removeDeviceAndWait",
    prepare: ({ vmm }) => vmm.client.vm.addDisk({ id: "d", path: "/a.raw" }),
    run: (client, signal) => removeDeviceAndWait(client, "d", { signal }),
  },
  {
    name: "receiveVm",
    prepare: ({ vmm }) => vmm.client.vm.delete(),
    run: (client, signal, { directory }) =>
      receiveVm(client, { url: `unix:${directory}/socket`, signal }),
  },
  {
    name: "sendVm",
    run: (client, signal, { vmm: { events }, directory }) => {
      const url = `unix:${directory}/nobody`;
      return sendVm({ client, events }, { url, signal });
    },
  },
  {
    name: "arrivedVm",
    run: (client, signal) => arrivedVm(client, { signal }),
  },
  {
    name: "waitForState",
    run: (client, signal) => waitForState(client, "Running", { signal }),
  },
  {
    name: "waitForEnd",
    prepare: ({ fake }) => Promise.resolve(fake.guest.perform("powerOff")),
    run: (client, signal) => waitForEnd(client, { signal }),
  },
  {
    name: "waitForVmm",
    run: (client, signal) => waitForVmm(client, { signal }),
  },
];

/**
 * A client whose request of this number gets no answer until it is aborted. If
 * it is not aborted, it is sent, and its name is noted.
 */
function slowClient(
  socketPath: string,
  slow: number,
  onSlow: () => void,
  unaborted: string[],
): { client: Client; count: () => number } {
  const send = unixFetch(socketPath);
  let count = 0;
  const client = createClient(socketPath, {
    async fetch(url, init) {
      if (count++ !== slow) return await send(url, init);
      onSlow();
      const { signal } = init;
      await new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const timer = setTimeout(() => {
          unaborted.push(url.split("/").at(-1)!);
          resolve();
        }, 200);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      });
      return await send(url, init);
    },
  });
  return { client, count: () => count };
}

for (const { name, prepare, run, whole = [] } of WORKFLOWS) {
  test(`${name}() aborted in any of its requests gives the signal's reason`, async () => {
    let isDone = false;
    for (let slow = 0; !isDone; slow++) {
      await running(async (vm) => {
        await prepare?.(vm);
        const controller = new AbortController();
        const reason = new Error("enough");
        const unaborted: string[] = [];
        const { client, count } = slowClient(
          vm.vmm.socketPath,
          slow,
          () => controller.abort(reason),
          unaborted,
        );
        const running = run(client, controller.signal, vm);
        const result = await running.then(() => undefined, (error) => error);
        isDone = count() <= slow;
        if (isDone) {
          assert.equal(result, undefined);
          assert.ok(slow > 0);
          return;
        }
        const unexpected = unaborted.filter((step) => !whole.includes(step));
        assert.deepEqual(unexpected, []);
        // The last step of a workflow may have succeeded all the same.
        if (unaborted.length === 0) assert.equal(result, reason);
      }, { guest: { releasesDeviceAfterMs: 1 } });
    }
  });
}

test("a refusal leaves no timer, no listener and no directory", () =>
  running(async ({ vmm, directory }) => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    Object.assign(signal, {
      addEventListener(...args: Parameters<typeof addEventListener>) {
        listeners++;
        addEventListener.apply(signal, args);
      },
      removeEventListener(...args: Parameters<typeof removeEventListener>) {
        listeners--;
        removeEventListener.apply(signal, args);
      },
    });
    const options = { signal, timeoutMs: 3_600_000 };
    const bad = { ...options, timeoutMs: 0 };
    const { client } = vmm;
    const file = join(directory, "file");
    writeFileSync(file, "");
    const refused: (() => Promise<unknown>)[] = [
      () => migrateVm(vmm, vmm, { ...options, url: "nope" }),
      () => migrateVm(vmm, vmm, bad),
      () => migrateVm(vmm, vmm, options),
      () => migrateVm(client, vmm, options),
      () => receiveVm(vmm, { ...options, url: "nope" }),
      () => receiveVm(vmm, { ...bad, url: "unix:/a.sock" }),
      () => receiveVm(vmm, { ...options, url: "unix:/a.sock" }),
      () => sendVm(vmm, { ...options, url: "nope" }),
      () => sendVm(vmm, { ...bad, url: "unix:/a.sock" }),
      () => sendVm(client, { ...options, url: "unix:/a.sock" }),
      () => arrivedVm(vmm, bad),
      () => snapshotVm(vmm, "file:///backup", options),
      () => snapshotVm(vmm, file, options),
      () => snapshotVm(vmm, join(directory, "a/b"), options),
      () => restoreVm(vmm, "file:///backup", options),
      () => restoreVm(vmm, file, options),
      () => cloneSnapshot(file, join(directory, "clone"), () => {}),
      () => cloneSnapshot(directory, "file:///clone", () => {}),
      () => restoreVm(vmm, file, { ...options, config: ownPaths(directory) }),
      () => waitForEvent(client, { event: "booted" }, options),
      () => waitForEvent(vmm, { event: "booted" }, bad),
      () => waitForEnd(vmm, bad),
      () => waitForState(vmm, "Paused", bad),
      () => waitForDeviceRemoved(vmm, "d", bad),
      () => resizeAndWait(vmm, { desired_vcpus: 99 }, options),
      () => removeDeviceAndWait(vmm, "no such device", options),
      () => connectVmm("unix:///run/a.sock"),
      () => spawnVmm({ landlock: true, signal }),
      () => spawnVmm({ directory: "file:///run", signal }),
      () => spawnVmm({ directory: join(directory, "a/b"), signal }),
      () => spawnVmm({ command: "/no/such/program", signal }),
      () => spawnVmm({ timeoutMs: 0, signal }),
    ];
    const left = await inTemporary(directory, async () => {
      for (const [index, refuse] of refused.entries()) {
        const timers = await countTimers(async () => {
          const error = await refuse().then(() => undefined, (error) => error);
          assert.ok(error, `${index}`);
          const { name, code } = error as { name: string; code?: string };
          assert.ok(
            name === "RangeError" || name === "ApiError" ||
              code === "invalid_request",
            `${index}: ${name} ${code}`,
          );
        });
        assert.equal(timers, 0, `${index}`);
        assert.equal(listeners, 0, `${index}`);
      }
    });
    assert.deepEqual(left, []);
  }));

/** The number of timers of an hour that the function sets and does not clear. */
async function countTimers(body: () => Promise<void>): Promise<number> {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const timers = new Set<unknown>();
  Object.assign(globalThis, {
    setTimeout(...[callback, ms]: Parameters<typeof set>) {
      const timer = set(callback, ms);
      if (Number(ms) >= 3_600_000) timers.add(timer);
      return timer;
    },
    clearTimeout(timer: Parameters<typeof clear>[0]) {
      timers.delete(timer);
      clear(timer);
    },
  });
  try {
    await body();
  } finally {
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }
  return timers.size;
}
