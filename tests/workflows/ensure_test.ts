import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createClient, unixFetch, type VmConfig } from "../../mod.ts";
import { ensureVm } from "../../src/workflows/mod.ts";
import { releaseNames } from "../../testing/release.ts";
import {
  refuse,
  running,
  type RunningVm,
  stateOf,
  VM,
} from "../support/running_vm.ts";

const CONFIG: VmConfig = {
  ...VM,
  disks: [{ path: "/a.raw", image_type: "Raw" }],
};

/** Calls `body` with a fake VMM that has no VM. */
function empty(
  body: (vm: RunningVm) => Promise<void>,
  options?: Parameters<typeof running>[1],
): Promise<void> {
  return running(body, options, false);
}

function assertNoNote({ directory }: RunningVm): void {
  const notes = readdirSync(directory).filter((name) => /workflow/.test(name));
  assert.deepEqual(notes, []);
}

for (const release of releaseNames) {
  test(`ensureVm() creates a VM once on ${release}`, () =>
    empty(async (vm) => {
      const { fake, vmm } = vm;
      const first = await ensureVm(vmm, CONFIG);
      assert.equal(first.outcome, "created");
      assert.equal(first.info.state, "Running");
      const count = fake.events.length;
      const second = await ensureVm(vmm.client, CONFIG);
      assert.equal(second.outcome, "found");
      assert.deepEqual(second.info, first.info);
      assert.equal(fake.events.length, count);
      await vmm.client.vm.pause();
      assert.equal((await ensureVm(vmm, CONFIG)).info.state, "Paused");
      assertNoNote(vm);
    }, { release }));
}

const UNBOOTED: {
  readonly [name: string]: (vm: RunningVm) => Promise<unknown>;
} = {
  created: ({ vmm }) => vmm.client.vm.create(VM),
  async "shut down"({ vmm: { client: { vm } } }) {
    await vm.create(VM);
    await vm.boot();
    await vm.shutdown();
  },
  async "half-built"({ directory, vmm: { client: { vm } } }) {
    const kernel = join(directory, "broken");
    writeFileSync(kernel, "no kernel");
    await vm.create({ payload: { kernel } });
    await assert.rejects(vm.boot());
    assert.ok((await vm.info()).device_tree);
  },
};

for (const [name, prepare] of Object.entries(UNBOOTED)) {
  test(`ensureVm() replaces a VM that is ${name}`, () =>
    empty(async (vm) => {
      await prepare(vm);
      const config = name === "half-built"
        ? { payload: { kernel: join(vm.directory, "vmlinux") } }
        : CONFIG;
      writeFileSync(join(vm.directory, "vmlinux"), "\x7fELF");
      const { outcome, info } = await ensureVm(vm.vmm, config);
      assert.equal(outcome, "recreated");
      assert.equal(info.state, "Running");
      assert.equal(
        info.config.disks?.length,
        config === CONFIG ? 1 : undefined,
      );
    }));
}

test("ensureVm() keeps a VM that is not booted when it refuses the new one", () =>
  empty(async ({ vmm }) => {
    const { vm } = vmm.client;
    await vm.create(VM);
    const bad = { ...CONFIG, cpus: { boot_vcpus: "2", max_vcpus: 2 } };
    await assert.rejects(ensureVm(vmm, bad as unknown as VmConfig), {
      code: "invalid_json",
    });
    assert.equal((await vm.info()).state, "Created");
  }));

test("ensureVm() refuses a running VM that differs, and names the fields", () =>
  empty(async (vm) => {
    const { vmm } = vm;
    await ensureVm(vmm, CONFIG);
    await assert.rejects(
      ensureVm(vmm, {
        ...CONFIG,
        memory: { size: 1n << 30n },
        disks: [{ path: "/b.raw" }],
      }),
      {
        code: "invalid_request",
        field: "memory.size",
        message:
          'memory.size: the VM that runs has another configuration: memory.size is 536870912, not 1073741824, disks[0].path is "/a.raw", not "/b.raw"; replaceConfig replaces the VM',
      },
    );
    assert.equal(await stateOf(vm), "Running");
    assertNoNote(vm);
  }));

test("ensureVm() twice at once makes one VM", () =>
  empty(async (vm) => {
    const { fake, vmm } = vm;
    const results = await Promise.all(
      [vmm, vmm.client, vmm].map((target) => ensureVm(target, CONFIG)),
    );
    const outcomes = results.map(({ outcome }) => outcome).sort();
    assert.deepEqual(outcomes, ["created", "found", "found"]);
    const boots = fake.events.filter(({ event }) => event === "booted");
    assert.equal(boots.length, 1);
  }));

for (const step of ["vm.create", "vm.boot"] as const) {
  test(`ensureVm() waits for the VM of another program that comes before ${step}`, () =>
    empty(async (vm) => {
      const { vmm, fake } = vm;
      const send = unixFetch(vmm.socketPath);
      let others: Promise<unknown> | undefined;
      const client = createClient(vmm.socketPath, {
        async fetch(url, init) {
          if (url.endsWith(`/${step}`) && others === undefined) {
            const other = vmm.client.vm;
            if (step === "vm.create") await other.create(CONFIG);
            // It is booted after the wait has begun.
            others = step === "vm.boot" ? other.boot() : Promise.resolve();
            await others;
          }
          const response = await send(url, init);
          return response;
        },
      });
      const ensuring = ensureVm(client, CONFIG);
      const { outcome, info } = await ensuring;
      assert.equal(outcome, step === "vm.boot" ? "found" : "recreated");
      assert.equal(info.state, "Running");
      const boots = fake.events.filter(({ event }) => event === "booted");
      assert.equal(boots.length, 1);
    }));
}

for (const operation of ["vm.create", "vm.boot", "vm.info"] as const) {
  test(`ensureVm() deletes what it created when ${operation} fails`, () =>
    empty(async (vm) => {
      const { vmm, fake } = vm;
      if (operation === "vm.info") {
        // The first one is before the VM is created.
        const send = unixFetch(vmm.socketPath);
        const client = createClient(vmm.socketPath, {
          async fetch(url, init) {
            const response = await send(url, init);
            if (url.endsWith("/vm.boot")) fake.injectFault(refuse("vm.info"));
            return response;
          },
        });
        await assert.rejects(ensureVm(client, CONFIG), { operation });
      } else {
        fake.injectFault(refuse(operation));
        await assert.rejects(ensureVm(vmm, CONFIG), { operation });
      }
      await assert.rejects(vmm.client.vm.info(), { code: "not_created" });
      assertNoNote(vm);
    }));
}

test("ensureVm() reports the end of a VMM whose guest powers off at once", () =>
  empty(async ({ vmm, fake }) => {
    const send = unixFetch(vmm.socketPath);
    const client = createClient(vmm.socketPath, {
      async fetch(url, init) {
        const response = await send(url, init);
        if (url.endsWith("/vm.boot")) await fake.close();
        return response;
      },
    });
    await assert.rejects(ensureVm(client, CONFIG), { code: "vmm_exited" });
  }));

test("ensureVm() works where no note can be written", () =>
  empty(async (vm) => {
    const fetch = unixFetch(vm.vmm.socketPath);
    const client = createClient("/no/such/place/api.sock", { fetch });
    assert.equal((await ensureVm(client, CONFIG)).outcome, "created");
    mkdirSync(`${vm.vmm.socketPath}.workflow`);
    await assert.rejects(ensureVm(vm.vmm, CONFIG));
  }));
