/** One script at a time starts or ends the VMM of a directory. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { lockDirectory } from "../../src/process/directory_lock.ts";
import { identify } from "../../src/vmm/process_id.ts";
import { AbortScope } from "../../src/wait/abort_scope.ts";
import { startOwner } from "../support/owner_script.ts";
import { inDirectory } from "../support/vmms.ts";

const PROCESSES = 20;

const nothing = (): void => {};

test(`${PROCESSES} processes at once hold a directory one after another`, () =>
  inDirectory(async (directory) => {
    const scripts = await Promise.all(
      Array.from(
        { length: PROCESSES },
        () => startOwner("locker", [directory, "2"]),
      ),
    );
    const ends = await Promise.all(scripts.map(({ ended }) => ended()));
    assert.deepEqual(ends.map(([code]) => code), Array(PROCESSES).fill(0));
    assert.deepEqual(readdirSync(directory), []);
  }));

test("a lock does not outlive a script that is ended by SIGKILL", () =>
  inDirectory(async (directory) => {
    const { child, firstLine, ended } = await startOwner("locker", [
      directory,
      "hold",
    ]);
    assert.equal(firstLine, "held");
    const controller = new AbortController();
    const waiting = lockDirectory(
      directory,
      nothing,
      new AbortScope({ signal: controller.signal }),
    );
    const reason = new Error("on purpose");
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    const next = lockDirectory(directory, nothing, new AbortScope({}));
    child.kill("SIGKILL");
    await ended();
    const lock = await next;
    assert.equal(readdirSync(directory).length, 1);
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  }));

test("a lock of a process that cannot be compared is dead if nobody touches it", () =>
  inDirectory(async (directory) => {
    const { pid, bootId = "" } = identify(process.pid);
    const foreign = `lock.${pid}.0.${bootId}.a`;
    writeFileSync(join(directory, foreign), "");
    await assert.rejects(
      lockDirectory(directory, nothing, new AbortScope({ timeoutMs: 100 })),
      { code: "deadline" },
    );
    assert.deepEqual(readdirSync(directory), [foreign]);
    const lock = await lockDirectory(
      directory,
      nothing,
      new AbortScope({}),
      10,
    );
    assert.ok(!readdirSync(directory).includes(foreign));
    lock.release();
  }));

test("a directory that is removed while a script waits is created again", () =>
  inDirectory(async (parent) => {
    const directory = join(parent, "vmm");
    const create = (): void => void mkdirSync(directory, { recursive: true });
    const scope = new AbortScope({});
    const first = await lockDirectory(directory, create, scope);
    const second = lockDirectory(directory, create, scope);
    rmSync(directory, { recursive: true });
    (await second).release();
    first.release();
    assert.deepEqual(readdirSync(directory), []);
  }));
