import assert from "node:assert/strict";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readEvents } from "../../src/events/mod.ts";
import { BoundedFiles } from "../../src/process/file_limits.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { brief, event } from "../support/records.ts";
import { inDirectory, programs } from "../support/vmms.ts";

const LIMITS = { stderr: 20_000, events: 20_000, unreadEvents: 60_000 };

test("BoundedFiles empties stderr, and keeps its end", () =>
  inDirectory((directory) => {
    const path = join(directory, "stderr");
    const fd = openSync(path, "a");
    const files = new BoundedFiles(path, join(directory, "events"), LIMITS);
    writeSync(fd, "a".repeat(19_000));
    files.check();
    assert.equal(statSync(path).size, 19_000);
    writeSync(fd, "b".repeat(2000));
    files.check();
    assert.equal(statSync(path).size, 0);
    assert.equal(files.stderr(), "a".repeat(6192) + "b".repeat(2000));
    writeSync(fd, "c".repeat(10));
    assert.equal(
      files.stderr(),
      "a".repeat(6182) + "b".repeat(2000) + "c".repeat(10),
    );
    closeSync(fd);
  }));

test("BoundedFiles empties the events that all readers have read", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "events");
    const fd = openSync(path, "w");
    const files = new BoundedFiles(join(directory, "stderr"), path, LIMITS);
    const used = (): number => statSync(path).blocks * 512;
    const writeEvents = (from: number, to: number): void => {
      for (let n = from; n < to; n++) writeSync(fd, event(n));
    };
    const reader = readEvents(path);
    const position = { offset: 0 };
    const remove = files.addReader(position);
    const read = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n++) {
        const { value } = await reader.next();
        assert.equal(brief(value!), n);
        position.offset = value!.offset;
      }
    };
    writeEvents(1, 401);
    await read(1, 300);
    files.check();
    assert.ok(used() > 20_000, "a reader is behind");
    await read(300, 401);
    const { size } = statSync(path);
    files.check();
    assert.ok(used() <= 8192, `${used()}`);
    assert.equal(statSync(path).size, size);
    writeEvents(401, 420);
    await read(401, 420);
    const [hole, first] = await Promise.all([1, 2].map(async (count) => {
      const late = readEvents(path);
      let value;
      for (let n = 0; n < count; n++) ({ value } = await late.next());
      await late.return();
      return brief(value!);
    }));
    assert.deepEqual([hole, first], [`0+${size}`, 401]);
    // A reader that does not go on does not keep the file for ever.
    writeEvents(420, 1400);
    files.check();
    assert.ok(used() <= 8192, `${used()}`);
    await reader.return();
    remove();
    closeSync(fd);
  }));

for (const { name, command, test } of programs) {
  test(`stderr of ${name} is bounded, and can be read while it runs`, async () => {
    const noise = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo end >&2";
    const words = typeof command === "string" ? [command] : command;
    const vmm = await spawnVmm({
      command: ["sh", "-c", `${noise}; exec "$@"`, "sh", ...words],
    });
    const path = join(vmm.directory, "stderr");
    while (statSync(path).size > 1 << 20) await delay(50);
    assert.match(vmm.stderr(), /x{8000,}end\n/);
    await vmm.kill();
    assert.match((await vmm.exited).stderr, /x{8000,}end\n/);
  });
}
