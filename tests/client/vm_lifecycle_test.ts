/** The client through a VM's life, with the fake of each release. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectionError, createClient } from "../../mod.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { releaseNames } from "../../testing/release.ts";

for (const release of releaseNames) {
  test(`a client drives a VM through its life on ${release}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "chv-life-"));
    const vmm = await FakeVmm.start({ release, files: "any" });
    const client = createClient(vmm.socketPath);
    const { vm } = client;

    await assert.rejects(vm.info(), { code: "not_created" });
    await assert.rejects(vm.boot(), { code: "not_created" });
    await vm.create({ payload: { kernel: "/boot/vmlinux" } });
    assert.equal((await vm.info()).state, "Created");
    await assert.rejects(vm.pause(), { code: "not_running" });
    const disk = { id: "d0", path: "/a.raw", image_type: "Raw" } as const;
    assert.equal(await vm.addDisk(disk), undefined);
    await assert.rejects(vm.addDisk(disk), { code: "duplicate_id" });

    await vm.boot();
    assert.equal((await vm.info()).state, "Running");
    await assert.rejects(vm.create({}), { code: "already_exists" });
    const { d0 } = await vm.counters();
    assert.equal(d0?.read_latency_min, 18446744073709551615n);
    assert.equal(d0?.read_bytes, 0n);
    const added = await vm.addDisk({ ...disk, id: "d1", path: "/b.raw" });
    assert.equal(added?.id, "d1");
    await assert.rejects(vm.removeDevice({ id: "nope" }), {
      code: "unknown_device",
    });
    await assert.rejects(vm.addFs({ tag: "a", socket: "/s" }), {
      code: "invalid_config",
    });
    const snapshot = { destination_url: `file://${join(directory, "a")}` };
    await assert.rejects(vm.snapshot(snapshot), { code: "wrong_state" });

    await vm.pause();
    mkdirSync(join(directory, "a"));
    await vm.snapshot(snapshot);
    const { config } = await vm.info();
    await vm.delete();
    await vm.restore({ source_url: snapshot.destination_url, resume: true });
    // Old releases ignore what they do not know.
    if (!hasSince(release, "v52.0")) await vm.resume();
    assert.equal((await vm.info()).state, "Running");
    await vm.delete();

    // What was read can be given back.
    await vm.create(config);
    assert.deepEqual((await vm.info()).config.cpus, config.cpus);
    await client.vmm.shutdown();
    await vmm.exited;
    await assert.rejects(
      client.vmm.ping(),
      (error) => error instanceof ConnectionError,
    );
    await vmm.close();
    rmSync(directory, { recursive: true });
  });
}
