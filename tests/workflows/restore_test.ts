import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { restoreVm, snapshotVm } from "../../src/workflows/mod.ts";
import { refuse, running, VM } from "../support/running_vm.ts";

test("restoreVm() deletes what a failure leaves", () =>
  running(async ({ fake, vmm, directory }) => {
    const { vm } = vmm.client;
    const target = join(directory, "a");
    await snapshotVm(vmm, target);
    await assert.rejects(restoreVm(vmm, target), { code: "already_exists" });
    assert.equal((await vm.info()).state, "Running");
    // A VM that somebody makes at the same time is not what it leaves.
    const chain = ["Error from API", "VM is not created"];
    fake.injectFault({ operation: "vm.info", fault: { status: 404, chain } });
    await assert.rejects(restoreVm(vmm, target), { code: "already_exists" });
    assert.equal((await vm.info()).state, "Running");
    await vm.delete();
    fake.injectFault({ operation: "vm.restore", fault: { cut: "after" } });
    await assert.rejects(restoreVm(vmm, target), { code: "closed" });
    await assert.rejects(vm.info(), { code: "not_created" });
    fake.injectFault({ operation: "vm.restore", fault: { cut: "after" } });
    fake.injectFault(refuse("vm.delete"));
    await assert.rejects(restoreVm(vmm, target), { code: "rollback_failed" });
    await vm.delete();
    fake.injectFault(refuse("vm.restore"));
    await assert.rejects(restoreVm(vmm, target), { operation: "vm.restore" });
    rmSync(join(target, "state.json"));
    await assert.rejects(restoreVm(vmm, target), {
      code: "invalid_request",
      message: /state\.json is missing/,
    });
    writeFileSync(join(target, "state.json"), "{");
    await assert.rejects(restoreVm(vmm, target), {
      message: /state\.json is cut off/,
    });
  }));

test("restoreVm() does not empty a log that another VM writes", () =>
  running(async ({ vmm, directory }) => {
    const { vm } = vmm.client;
    const log = join(directory, "serial.log");
    const target = join(directory, "snapshot");
    await vm.delete();
    await vm.create({ ...VM, serial: { mode: "File", file: log } });
    await vm.boot();
    await snapshotVm(vmm, target);
    await vm.delete();
    const fd = openSync(log, "a");
    writeSync(fd, "a line of another VM\n");
    const reader = openSync(log, "r");
    await assert.rejects(restoreVm(vmm, target), {
      code: "invalid_request",
      field: "directory",
      message: new RegExp(
        `names the log "${log}", which the process ${process.pid} writes`,
      ),
    });
    assert.equal(readFileSync(log, "utf8"), "a line of another VM\n");
    closeSync(fd);
    await restoreVm(vmm, target);
    closeSync(reader);
  }));
