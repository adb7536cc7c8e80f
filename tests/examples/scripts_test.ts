/**
 * The examples that begin with how they are run, each with the fake, with a
 * real VMM, and compiled to a program of one file.
 */
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { guestElf } from "../../examples/guest.ts";
import type { VmConfig } from "../../mod.ts";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import {
  fakeBinary,
  type Form,
  killScripts,
  type Script,
  start,
} from "../support/script.ts";
import { type RegisterTest, testIf } from "../support/skip.ts";
import { inDirectory, programs, smallVm, sparse } from "../support/vmms.ts";

type Recipe = (directory: string, form: Form) => Promise<void>;

const RECIPES: { readonly [name: string]: Recipe } = {
  async first(directory, form) {
    const { payload } = smallVm(directory);
    const script = start("first", [payload!.kernel!], directory, form, {
      FAKE_VMM_GUEST: '{"powersOffAfterMs":1}',
    });
    const text = await script.ended(0);
    assert.match(
      text,
      /^VMM: .*\nRunning: 1 vCPU, 256 MiB, VMM \d+\nthe VMM ended after (power-button|vm)/,
    );
  },

  async runner(directory, form) {
    const image = sparse(join(directory, "image"));
    // The fake of the example has a script of its own, this one takes any.
    const binary = form.binary ?? fakeBinary(directory);
    const run = (line: string, ends = true, env = {}): Script => {
      const kernel = join(directory, "job.elf");
      writeFileSync(kernel, guestElf(line, ends ? "power off" : "halt"));
      const args = [image, "make test", kernel];
      const guest = { serialOutput: line, ...ends && { endsAfterMs: 1 } };
      return start("runner", args, directory, { ...form, binary }, {
        FAKE_VMM_GUEST: JSON.stringify(guest),
        ...env,
      });
    };
    const own = start("runner", [image, "make test"], directory, form);
    if (!form.binary && !form.compiled) {
      assert.match(await own.ended(0), /^hello from the fake/m);
    } else await own.ended(125);
    assert.match(await run("hi\r\njob-exit=0\r\n").ended(0), /^hi/m);
    await run("job-exit=3\r\n").ended(3);
    assert.match(
      await run("too early\r\n").ended(125),
      /^too early$[^]*the guest ended without a result/m,
    );
    const late = run("too late\r\n", false, { JOB_MINUTES: "0.01" });
    assert.match(await late.ended(125), /^too late$[^]*TimeoutError/m);
    const missing = start("runner", ["/missing", "job"], directory, form);
    assert.match(await missing.ended(125), /no such file[^]*'\/missing'/i);
  },

  async file(directory, form) {
    const yaml = join(directory, "vm.yaml");
    const run = (config: VmConfig | string): Script => {
      // What is JSON is YAML too.
      const text = typeof config === "string" ? config : JSON.stringify(config);
      writeFileSync(yaml, text);
      return start("file", [yaml], directory, form);
    };
    const config = smallVm(directory);
    const running = run(config);
    await running.printed(/^booted in VMM \d+, socket .*$/m);
    running.signal("SIGTERM");
    await running.ended("SIGTERM");

    const misspelt = { ...config, cpu: { boot_vcpus: 2 } } as VmConfig;
    assert.match(await run(misspelt).ended(1), /vm\.yaml: cpu: .*"cpus"/);
    assert.match(
      await run("payload:\n  kernel: /boot/vmlinux\nmemory: [").ended(1),
      /vm\.yaml: .* at line 3/,
    );
    if (!form.binary) return;
    const kernel = join(directory, "job.elf");
    writeFileSync(kernel, guestElf("bye", "power off"));
    const ended = await run({ ...config, payload: { kernel } }).ended(0);
    assert.match(ended, /the VMM ended with code 0/);
  },

  async many(directory, form) {
    const { payload } = smallVm(directory);
    const run = (kernel: string): Script =>
      start("many", ["3", kernel], directory, form, {
        FAKE_VMM_GUEST: '{"powersOffAfterMs":1}',
      });
    const interrupted = run(payload!.kernel!);
    await interrupted.printed(/api\.sock[^]*api\.sock[^]*api\.sock/);
    interrupted.signal("SIGINT");
    const text = await interrupted.ended(0);
    assert.equal(text.match(/^a VMM ended after /gm)?.length, 3, text);

    const early = run(payload!.kernel!);
    await early.printed(/^VMM: /);
    early.signal("SIGINT");
    assert.match(await early.ended(1), /interrupted by SIGINT/);
  },

  hotplug: (directory, form) =>
    withVmm(directory, form, async (vmm) => {
      const data = sparse(join(directory, "data.raw"));
      const net = form.binary ? [] : ["net=tap7"];
      const args = [vmm.socketPath, `disk=${data}`, ...net, "memory=128"];
      const script = start("hotplug", args, directory, form);
      await script.printed(
        /^added disk .* as _disk\d+ at 0000:00:[\da-f]+\.0$/m,
      );
      await script.printed(/^added 128 MiB$/m);
      const before = await vmm.client.vm.info();
      assert.equal(before.memory_actual_size, 192 << 20);
      assert.equal(before.config.disks?.[0]?.path, data);
      script.stdin.end();
      // The hand-made guest has no drivers, and so lets go of nothing.
      const text = await script.ended(form.binary ? 1 : 0);
      assert.match(text, /^removed 128 MiB$/m);
      if (form.binary) assert.match(text, /could not remove disk/);
      else assert.match(text, /removed net.*\nremoved disk/);
      const { config, memory_actual_size: size } = await vmm.client.vm.info();
      assert.equal(size, 64 << 20);
      assert.deepEqual([config.disks ?? [], config.net ?? []], [[], []]);

      const wrong = [vmm.socketPath, `disk=${data}x`, "cdrom=x"];
      const refused = start("hotplug", wrong, directory, form);
      assert.match(await refused.ended(1), /neither|No such file/);
    }, { memory: MEMORY }),

  backup: (directory, form) =>
    withVmm(directory, form, async (vmm) => {
      const backups = join(directory, "backups");
      mkdirSync(backups);
      const args = [vmm.socketPath, backups, "2"];
      for (let i = 0; i < 3; i++) {
        const script = start("backup", args, directory, form);
        assert.match(
          await script.ended(0),
          /^VMM: .*\nrestored: Paused\nkept /,
        );
      }
      const kept = readdirSync(backups);
      assert.equal(kept.length, 2, kept.join());
      for (const name of kept) {
        const path = join(backups, name);
        const disk = statSync(join(path, "0-disk.raw"));
        assert.equal(disk.size, 16 << 20);
        const text = readFileSync(join(path, "config.json"), "utf8");
        assert.equal(JSON.parse(text).disks[0].path, join(path, "0-disk.raw"));
      }
      assert.equal((await vmm.client.vm.info()).state, "Running");

      await vmm.client.vm.shutdown();
      const refused = start("backup", args, directory, form);
      assert.match(await refused.ended(1), /not_running|not running/);
      assert.deepEqual(readdirSync(backups), kept);
    }, { disks: [{ path: sparse(join(directory, "disk.raw")) }] }),

  metrics: (directory, form) =>
    withVmm(directory, form, async (vmm) => {
      const missing = join(directory, "missing.sock");
      const args = [vmm.socketPath, missing];
      const script = start("metrics", args, directory, form, { PORT: "0" });
      const [url] = await script.printed(/http:\S+$/m);
      const response = await fetch(url!);
      assert.match(response.headers.get("content-type")!, /^text\/plain/);
      const text = await response.text();
      const vm = `vm="${vmm.socketPath}"`;
      for (
        const sample of [
          `chv_up{${vm}} 1`,
          `chv_up{vm="${missing}"} 0`,
          `chv_vm_state{${vm},state="Running"} 1`,
          `chv_device_read_bytes_total{${vm},device="d"} 0`,
          "# TYPE chv_device_read_bytes_total counter",
        ]
      ) assert.ok(text.split("\n").includes(sample), `${sample} in ${text}`);
      assert.doesNotMatch(text, /latency|18446744073709552/);

      await vmm.client.vm.shutdown();
      const later = await (await fetch(url!)).text();
      assert.ok(later.includes(`chv_up{${vm}} 1`), later);
      assert.ok(!later.includes("chv_device"), later);
      script.signal("SIGTERM");
      await script.ended("SIGTERM");
    }, { disks: [{ id: "d", path: sparse(join(directory, "disk.raw")) }] }),

  health: (directory, form) =>
    withVmm(directory, form, async (vmm) => {
      const every = "* * * * * *";
      const run = (path: string): Script =>
        start("health", [every, path], directory, form, { TIMEOUT_MS: "300" });
      const well = run(vmm.socketPath);
      await well.printed(/ Running$/m);
      well.signal("SIGTERM");
      await well.ended(0);

      const watching = run(vmm.socketPath);
      await watching.printed(/ Running$/m);
      process.kill(vmm.pid, "SIGKILL");
      await vmm.exited;
      assert.match(await watching.ended(1), / dead: it crashed or was killed/);

      const mute = join(directory, "mute.sock");
      const server = createServer(() => {}).listen(mute);
      const [missing, slow] = await Promise.all([
        run(join(directory, "missing.sock")).ended(1),
        run(mute).ended(1),
      ]);
      assert.match(missing, / dead: it has ended, or never/);
      assert.match(slow, / slow, 1 in a row\n.* slow, 2.*\n.* dead: slow, 3/);
      server.close();
    }),
};

/** Runs a recipe, of which a failure leaves nothing either. */
function cleanly(recipe: Recipe, form: Form): Promise<void> {
  return inDirectory(async (directory) => {
    try {
      await recipe(directory, form);
    } finally {
      killScripts();
    }
  });
}

const MEMORY = { size: 64 << 20, hotplug_size: 256 << 20 };

/** Gives `body` a VM that runs, in a directory that is not looked at. */
async function withVmm(
  directory: string,
  { binary }: Form,
  body: (vmm: VmmProcess) => Promise<void>,
  more: VmConfig = {},
): Promise<void> {
  const vmm = await spawnVmm({
    command: binary ?? fakeCommand(),
    env: {
      FAKE_VMM_FILES: "any",
      FAKE_VMM_GUEST: '{"releasesDeviceAfterMs":1}',
    },
    config: smallVm(directory, more),
  });
  try {
    await body(vmm);
  } finally {
    await vmm.kill();
  }
}

const [, real] = programs;
const forms: readonly (Form & { test: RegisterTest })[] = [
  { name: "the fake", test },
  {
    name: "a real VMM",
    binary: process.env["CLOUD_HYPERVISOR"] ?? "",
    test: real!.test,
  },
];

for (const { test, ...form } of forms) {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    test(
      `examples/${name}.ts runs with ${form.name}`,
      () => cleanly(recipe, form),
    );
  }
}

const COMPILES = "Bun" in globalThis ||
  "Deno" in globalThis && Boolean(process.env["DENORT_BIN"]);

const compiledTest = testIf(
  COMPILES,
  "Bun compiles; Deno needs its runtime in DENORT_BIN, Node compiles nothing",
);

for (const [name, recipe] of Object.entries(RECIPES)) {
  compiledTest(
    `examples/${name}.ts runs as a program of one file`,
    () => cleanly(recipe, { name: "the fake", compiled: true }),
  );
}
