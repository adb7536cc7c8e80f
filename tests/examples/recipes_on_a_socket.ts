/** The examples that use a VMM which listens on a socket. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { VmConfig } from "../../mod.ts";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";
import {
  type Form,
  type Recipe,
  type Script,
  start,
} from "../support/script.ts";
import { faked, smallVm, sparse } from "../support/vmms.ts";

export const hotplug: Recipe = (directory, form) =>
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
    // The hand-made guest has no drivers, and so releases nothing.
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
  }, { memory: MEMORY });

export const backup: Recipe = (directory, form) =>
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
      const disk = statSync(join(path, "disks/0-disk.raw"));
      assert.equal(disk.size, 16 << 20);
      const text = readFileSync(join(path, "snapshot.json"), "utf8");
      assert.equal(JSON.parse(text).disks[0].copy, "disks/0-disk.raw");
    }
    assert.equal((await vmm.client.vm.info()).state, "Running");

    await vmm.client.vm.shutdown();
    const refused = start("backup", args, directory, form);
    assert.match(await refused.ended(1), /not_running|not running/);
    assert.deepEqual(readdirSync(backups), kept);
  }, { disks: [{ path: sparse(join(directory, "disk.raw")) }] });

export const metrics: Recipe = (directory, form) =>
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
  }, { disks: [{ id: "d", path: sparse(join(directory, "disk.raw")) }] });

export const health: Recipe = (directory, form) =>
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
  });

export async function top(directory: string, form: Form): Promise<void> {
  const { fake, vmm, end } = await faked(directory);
  await vmm.client.vm.create({
    payload: { kernel: "/boot/vmlinux" },
    disks: [{ id: "d", path: "/a.raw" }],
  });
  await vmm.client.vm.boot();
  const timer = setInterval(
    () => fake.recordTraffic("d", "read", { bytes: 4096, ops: 1 }),
    5,
  );
  const missing = join(directory, "missing.sock");
  const args = ["--rounds", "3", "--every", "100", fake.socketPath, missing];
  const text = await start("top", args, directory, form).ended();
  clearInterval(timer);
  assert.match(text, /VM.*read.*written.*received.*sent.*load/);
  assert.match(text, /[\d.]+ KiB\/s.*0 B\/s.*▁?█/);
  assert.match(text, /missing\.sock.*socket_missing/);
  await end();
}

const MEMORY = { size: 64 << 20, hotplug_size: 256 << 20 };

/** Gives `body` a VMM whose VM runs. */
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
