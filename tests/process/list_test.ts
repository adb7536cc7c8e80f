/** `listVmms` finds the directories of VMMs. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { listVmms, spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand, FakeVmm } from "../../testing/mod.ts";
import { inDirectory } from "../support/vmms.ts";

test("listVmms() finds VMMs among everything else", () =>
  inDirectory(async (parent) => {
    const at = (...names: string[]): string => join(parent, ...names);
    const vmm = await spawnVmm({
      command: fakeCommand(),
      directory: at("owned"),
    });
    const record = JSON.parse(readFileSync(at("owned/vmm.json"), "utf8"));
    assert.equal(record.pid, vmm.pid);
    for (
      const name of ["cut", "dead", "empty", "folder/vmm.json", "tenant/nested"]
    ) mkdirSync(at(name), { recursive: true });
    const socketPath = at("tenant/nested/api.sock");
    const fake = await FakeVmm.start({ socketPath });
    // A start time that no process has.
    const dead = JSON.stringify({ ...record, startTime: 1 });
    writeFileSync(at("dead/vmm.json"), dead);
    mkdirSync(at("dead/inner"));
    writeFileSync(at("dead/inner/vmm.json"), dead);
    writeFileSync(at("cut/vmm.json"), dead.slice(0, 40));
    writeFileSync(at("empty/notes"), "foreign");
    writeFileSync(at("file"), "foreign");
    symlinkSync(at("owned"), at("link"));
    symlinkSync(at("missing"), at("broken"));
    chmodSync(at("empty"), 0);
    const list = await listVmms(parent);
    const rows = list.map(({ directory, socketPath, ...rest }) => {
      assert.equal(socketPath, join(directory, "api.sock"));
      return { directory, ...rest };
    });
    assert.deepEqual(rows, [
      { directory: at("cut"), isAlive: false },
      { directory: at("dead"), pid: vmm.pid, isAlive: false },
      { directory: at("owned"), pid: vmm.pid, isAlive: true },
      { directory: at("tenant/nested"), pid: process.pid, isAlive: true },
    ]);
    await fake.close();
    await vmm.kill();
    chmodSync(at("empty"), 0o700);
    const after = (await listVmms(parent)).filter(({ isAlive }) => isAlive);
    assert.deepEqual(after, []);
  }));

test("listVmms() of a missing directory is empty, and of no path an error", async () => {
  assert.deepEqual(await listVmms("/missing/directory"), []);
  await assert.rejects(listVmms("file:///run"), {
    code: "invalid_request",
    field: "parent",
  });
});
