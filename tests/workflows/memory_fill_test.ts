/** Snapshots and migrations wait while a VMM fills the memory of a VM. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { migrateVm, restoreVm, snapshotVm } from "../../src/workflows/mod.ts";
import { FakeClock } from "../../testing/mod.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { pair } from "../support/migration.ts";
import { running, stateOf } from "../support/running_vm.ts";
import { type Faked, inDirectory } from "../support/vmms.ts";

const guest = { memoryFillMs: 1000 };
const memory_restore_mode = "OnDemand";

/** Replaces the VM by a restored one, whose memory is still being filled. */
async function restoreOnDemand({ vmm }: Faked, directory: string) {
  const source = join(directory, "source");
  await snapshotVm(vmm, source);
  await vmm.client.vm.delete();
  await restoreVm(vmm, source, { memory_restore_mode });
}

/** Resolves when a workflow has asked twice more whether the memory is there. */
async function asked({ fake }: Faked): Promise<void> {
  const count = () =>
    fake.requests.filter(({ operation }) => operation === "vm.send-migration")
      .length;
  const before = count();
  while (count() < before + 2) await new Promise((next) => setTimeout(next));
}

for (const release of releaseNames.filter(fillsLater)) {
  const clock = new FakeClock();
  test(`snapshotVm() waits until the memory is filled on ${release}`, () =>
    running(async (place) => {
      const { vmm, directory } = place;
      const { vm } = vmm.client;
      await restoreOnDemand(place, directory);
      const url = `file://${directory}`;
      await assert.rejects(vm.snapshot({ destination_url: url }), {
        code: "busy",
        retry: "now",
      });
      const destination_url = `unix:${join(directory, "socket")}`;
      await assert.rejects(vm.sendMigration({ destination_url }), {
        code: "busy",
        retry: "now",
      });
      const target = join(directory, "target");
      const controller = new AbortController();
      const aborted = snapshotVm(vmm, target, controller);
      await asked(place);
      assert.equal(await stateOf(place), "Running");
      const reason = new Error("enough");
      controller.abort(reason);
      await assert.rejects(aborted, (error) => error === reason);
      assert.equal(await stateOf(place), "Running");
      assert.ok(!existsSync(target));

      const saved = snapshotVm(vmm, target);
      await asked(place);
      clock.advance(1000);
      await saved;
      assert.equal(await stateOf(place), "Running");
      await vm.delete();
      // A paused VM stays paused.
      await restoreVm(vmm, target, { memory_restore_mode, resume: false });
      const again = snapshotVm(vmm, join(directory, "again"));
      await asked(place);
      assert.equal(await stateOf(place), "Paused");
      clock.advance(1000);
      await again;
      assert.equal(await stateOf(place), "Paused");
    }, { release, clock, guest }));
}

test("migrateVm() waits until the memory is filled", () => {
  const clock = new FakeClock();
  return inDirectory((directory) =>
    pair(async ({ from, to }) => {
      await restoreOnDemand(from, directory);
      const migrated = migrateVm(from.vmm, to.vmm);
      await asked(from);
      assert.equal(await stateOf(from), "Running");
      clock.advance(1000);
      assert.equal((await migrated).state, "Running");
    }, { source: { clock, guest } })
  );
});

/** True if the release restores memory on demand. */
function fillsLater(release: ReleaseName): boolean {
  return hasSince(release, "v52.0");
}
