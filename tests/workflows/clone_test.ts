/** Clones: snapshots that are restored with another configuration. */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { VmConfig } from "../../mod.ts";
import { assertSameDevices } from "../../src/workflows/clone/same_devices.ts";
import { parse, stringify } from "../../src/json/mod.ts";
import {
  cloneSnapshot,
  ownPaths,
  restoreVm,
  snapshotVm,
} from "../../src/workflows/mod.ts";
import { snapshotFiles, sourceVm, withSnapshot } from "../support/clones.ts";
import { faked, inDirectory, inTemporary, sparse } from "../support/vmms.ts";

test("a clone runs beside its source, with paths of its own", () =>
  inDirectory(async (directory) => {
    const source = await faked(directory, {}, "source");
    const clone = await faked(directory, {}, "clone");
    const snapshot = join(directory, "snapshot");
    const home = join(directory, "home");
    mkdirSync(home);
    try {
      const vm = sourceVm(directory);
      await source.vmm.client.vm.create(vm);
      await source.vmm.client.vm.boot();
      await snapshotVm(source.vmm, snapshot);
      addUnknown(snapshot);
      const before = snapshotFiles(snapshot);
      const disks = { [vm.disks![0]!.path!]: sparse(join(home, "disk.raw")) };
      const { state, config } = await restoreVm(
        { ...clone.vmm, directory: home },
        snapshot,
        { config: ownPaths(home, { disks }) },
      );
      assert.equal(state, "Running");
      assert.equal(config.disks![0]!.path, join(home, "disk.raw"));
      assert.equal(config.vsock!.socket, join(home, "vsock.sock"));
      assert.equal(config.serial!.socket, join(home, "serial.sock"));
      assert.equal(config.console!.file, join(home, "console.log"));
      assert.deepEqual(snapshotFiles(snapshot), before);
      assert.deepEqual(readdirSync(home).sort(), [
        "console.log",
        "disk.raw",
        "serial.sock",
        "vsock.sock",
      ]);
      assert.equal((await source.vmm.client.vm.info()).state, "Running");
    } finally {
      await clone.end();
      await source.end();
    }
  }));

/** Adds keys to config.json that neither the library nor the VMM knows. */
function addUnknown(snapshot: string): void {
  const file = join(snapshot, "config.json");
  const config = parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  config["future"] = { keys: [UNKNOWN], ["__proto__"]: null };
  writeFileSync(file, stringify(config));
}

const UNKNOWN = 18446744073709551615n;

test("cloneSnapshot() creates a private directory of links", () =>
  withSnapshot(async ({ directory, snapshot }) => {
    addUnknown(snapshot);
    const before = snapshotFiles(snapshot);
    const target = join(directory, "clone");
    const edit = ownPaths(directory);
    const clone = await cloneSnapshot(snapshot, target, edit);
    assert.equal(clone.directory, target);
    assert.equal(statSync(target).mode & 0o777, 0o700);
    const file = join(target, "config.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, "utf8");
    assert.deepEqual(parse(text), clone.config);
    assert.match(text, /"future":\{"keys":\[18446744073709551615\]/);
    for (const name of ["memory-ranges", "state.json"]) {
      const { ino } = statSync(join(snapshot, name));
      assert.equal(lstatSync(join(target, name)).ino, ino);
    }
    // Like a script that is run again after it was killed.
    const again = await cloneSnapshot(snapshot, target, edit);
    assert.deepEqual(snapshotFiles(snapshot), before);
    writeFileSync(join(target, "note"), "");
    await assert.rejects(cloneSnapshot(snapshot, target, edit), {
      code: "invalid_request",
      field: "target",
      message: /is not an empty directory, and not a clone/,
    });
    again.remove();
    assert.deepEqual(readdirSync(target), ["note"]);
    // A snapshot is never taken for a clone.
    await assert.rejects(cloneSnapshot(snapshot, snapshot, edit), {
      field: "target",
    });
    {
      const other = await cloneSnapshot(snapshot, join(directory, "b"), edit);
      other[Symbol.dispose]();
    }
    assert.ok(!existsSync(join(directory, "b")));
    assert.deepEqual(snapshotFiles(snapshot), before);
  }));

const REFUSED: Readonly<Record<string, (config: VmConfig) => unknown>> = {
  "cpus.boot_vcpus": ({ cpus }) => cpus!.boot_vcpus = 2,
  "cpus.max_vcpus": ({ cpus }) => cpus!.max_vcpus = 9,
  "disks": ({ disks }) => disks!.push({ id: "more", path: "/more.raw" }),
  "disks[0].id": ({ disks }) => disks!.reverse(),
  "disks[0].pci_segment": ({ disks }) => disks![0]!.pci_segment = 1,
  "disks[1].id": ({ disks }) => disks![1]!.id = "other",
  "memory.size": ({ memory }) => memory!.size = 1n << 30n,
  "net": (config) => delete config.net,
  "net[0].mac": ({ net }) => net![0]!.mac = "2e:00:00:00:00:01",
  "payload.kernel": ({ payload }) => payload!.kernel = "/other",
  "platform": (config) => config.platform = { num_pci_segments: 2 },
  "serial.mode": ({ serial }) => serial!.mode = "Off",
  "vsock": (config) => delete config.vsock,
  "vsock.cid": ({ vsock }) => vsock!.cid = 4,
};

test("an edit that the guest would not survive is refused, and named", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const before = clone.fake.requests.length;
    const left = await inTemporary(directory, async () => {
      for (const [field, edit] of Object.entries(REFUSED)) {
        const config = (config: VmConfig) => void edit(config);
        const refusal = { code: "invalid_request", field };
        await assert.rejects(
          restoreVm(clone.vmm, snapshot, { config }),
          refusal,
        );
        const target = join(directory, "clone");
        await assert.rejects(
          cloneSnapshot(snapshot, target, config),
          refusal,
        );
        assert.ok(!existsSync(target), field);
      }
      const nothing = () => 1 as unknown as VmConfig;
      await assert.rejects(
        restoreVm(clone.vmm, snapshot, { config: nothing }),
        {
          field: "config",
        },
      );
      await assert.rejects(
        restoreVm(clone.vmm, snapshot, {
          config: ownPaths(directory, { disks: { "/typo.raw": "/a.raw" } }),
        }),
        {
          field: "disks",
          message: /the snapshot has no "\/typo\.raw"; it has/,
        },
      );
    });
    assert.deepEqual(left, []);
    assert.equal(clone.fake.requests.length, before);
  }));

test("an edit may leave out an iommu that old snapshots have as false", () => {
  assertSameDevices({ serial: { iommu: false } }, { serial: {} });
  assert.throws(
    () => assertSameDevices({ serial: { iommu: true } }, { serial: {} }),
    { field: "serial.iommu" },
  );
});

test("the fake boots a guest with a hole, as the VMM does", () =>
  withSnapshot(async ({ directory, snapshot, clone }) => {
    const { vm } = clone.vmm.client;
    const own = ownPaths(directory);
    const holes: ((config: VmConfig) => unknown)[] = [
      (config) => delete config.disks,
      ({ memory }) => memory!.size = 1n << 30n,
      ({ cpus }) => cpus!.boot_vcpus = 2,
      (config) => config.serial = { mode: "Off" },
    ];
    const moved = async (config: VmConfig) => {
      await own(config);
      config.disks?.forEach((disk, at) => disk.path = `/clone${at}.raw`);
    };
    for (const hole of holes) {
      const config = async (config: VmConfig) => {
        await moved(config);
        hole(config);
      };
      await restoreVm(clone.vmm, snapshot, { config, unchecked: true });
      await vm.delete();
    }
    const config = async (config: VmConfig) => {
      await moved(config);
      config.disks!.push({ id: "more", path: "/more.raw" });
    };
    const more = { config, unchecked: true };
    await assert.rejects(restoreVm(clone.vmm, snapshot, more), {
      code: "duplicate_id",
      messages: [
        "Error from API",
        "The VM could not be restored",
        "Error from device manager",
        "Failed to find an available PCI device ID",
        "Valid PCI device identifier but already used: 4",
      ],
    });
    await restoreVm(clone.vmm, snapshot, { config: moved });
  }));
