/** Migrations of old releases, and between releases. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasSince } from "../../src/generated_support/release.ts";
import { migrateVm, type MigrationProgress } from "../../src/workflows/mod.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { fails, pair } from "../support/migration.ts";
import { freePort } from "../support/port.ts";

const OLD = releaseNames.filter((name) => !hasSince(name, "v53.0"));

const between = (from: ReleaseName, to: ReleaseName) => ({
  source: { release: from },
  destination: { release: to },
});

for (const release of OLD) {
  for (const way of ["unix", "tcp"] as const) {
    test(`migrateVm() moves a VM by ${way} on ${release}`, () =>
      pair(async ({ from, to }) => {
        const stages: MigrationProgress["stage"][] = [];
        const url = way === "tcp" && `tcp:127.0.0.1:${await freePort()}`;
        const info = await migrateVm(from.vmm, to.vmm, {
          onProgress: ({ stage }) => stages.push(stage),
          ...url && { url },
        });
        assert.equal(info.state, "Running");
        assert.equal((await from.fake.exited).code, 0);
        // Before v52.0 the answer of the call can be ahead of the events.
        const reported = hasSince(release, "v52.0")
          ? ["started", "iteration", "switching", "finished"]
          : ["started", "finished"];
        assert.deepEqual(
          stages.filter((stage) => reported.includes(stage)),
          reported,
        );
      }, between(release, release)));
  }

  test(`migrateVm() needs no events on ${release}`, () =>
    pair(async ({ from, to }) => {
      const info = await migrateVm(from.vmm.client, to.vmm.client);
      assert.equal(info.state, "Running");
    }, between(release, release)));

  test(`migrateVm() keeps a VM that the destination on ${release} does not take`, () =>
    pair(async ({ directory, from, to }) => {
      const { vm } = from.vmm.client;
      const path = join(directory, "disk");
      writeFileSync(path, new Uint8Array(1 << 20));
      await vm.addDisk({ path });
      rmSync(path);
      await fails(migrateVm(from.vmm, to.vmm), "Running", "none");
      assert.equal((await vm.info()).state, "Running");
    }, {
      source: { release, files: "any" },
      destination: { release, files: "real" },
    }));
}

for (
  const [newer, older] of [["v52.0", "v51.1"], ["v54.0-dev", "v48.0"]] as const
) {
  test(`migrateVm() moves a VM from ${older} to ${newer}, and not back`, () =>
    pair(async ({ from, to }) => {
      const back = migrateVm(from.vmm, to.vmm);
      await assert.rejects(back, {
        code: "invalid_request",
        field: "destination",
      });
      const sent = [...from.fake.requests, ...to.fake.requests]
        .filter(({ path }) => path.includes("migration"));
      assert.deepEqual(sent, []);
      await pair(
        async ({ from, to }) => {
          const { state } = await migrateVm(from.vmm, to.vmm);
          assert.equal(state, "Running");
        },
        between(older, newer),
      );
    }, between(newer, older)));
}

test("migrateVm() moves a VM from v53.0 to v52.0", () =>
  pair(async ({ from, to }) => {
    assert.equal((await migrateVm(from.vmm, to.vmm)).state, "Running");
  }, between("v53.0", "v52.0")));

test("migrateVm() moves a paused VM from v52.0 on, and refuses it before", async () => {
  await pair(async ({ from, to }) => {
    await from.vmm.client.vm.pause();
    assert.equal((await migrateVm(from.vmm, to.vmm)).state, "Paused");
  }, between("v52.0", "v52.0"));
  await pair(async ({ from, to }) => {
    const { vm } = from.vmm.client;
    await vm.pause();
    await assert.rejects(migrateVm(from.vmm, to.vmm), {
      code: "invalid_request",
      field: "source",
      message: /is paused, and version 51 would resume it/,
    });
    assert.equal((await vm.info()).state, "Paused");
  }, between("v51.1", "v51.1"));
});
