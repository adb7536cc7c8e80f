/** Clones of one snapshot beside their source, with a guest that answers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { dialVsock, openConsole } from "../../src/guest/mod.ts";
import type { VmConfig } from "../../mod.ts";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import {
  cloneSnapshot,
  ownPaths,
  restoreVm,
  snapshotVm,
} from "../../src/workflows/mod.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory, sparse } from "../support/vmms.ts";
import { readLine, send, type Spawner, spawners } from "./support.ts";

const timeoutMs = 30_000;
const PROMPT = "guest login: ";

for (const spawner of spawners) {
  const { name, test, program } = spawner;
  const isReal = program.env === undefined;
  const count = isReal ? 10 : 2;

  test(`${name}: ${count} clones run beside their source, each with its own console, vsock and disk`, () =>
    withSource(spawner, async ({ directory, source, snapshot, disk }) => {
      const before = digest(snapshot);
      const open = await dialVsock(source, 1000, { timeoutMs });
      const clones: VmmProcess[] = [];
      const start = async (index: number): Promise<void> => {
        const vmm = await spawnVmm(program);
        clones.push(vmm);
        const own = sparse(join(vmm.directory, "disk.raw"));
        const target = join(directory, `clone${index}`);
        const edit = ownPaths(vmm.directory, { disks: { [disk]: own } });
        const called = performance.now();
        using clone = await cloneSnapshot(snapshot, target, edit);
        const { info, memory_restore_mode } = await clone.restore(vmm);
        await assertEchoes(vmm, `clone ${index}`);
        const ms = Math.round(performance.now() - called);
        console.log(`clone ${index}: ${ms} ms, ${memory_restore_mode}`);
        assert.equal(info.config.disks![0]!.path, own);
        const port = await openConsole(vmm, { timeoutMs });
        assert.equal(
          await port.run(`echo ${index}`, { prompt: PROMPT, timeoutMs }),
          `${index}`,
        );
        await port.close();
      };
      try {
        const starts = Array.from({ length: count }, (_, at) => start(at));
        for (const result of await Promise.allSettled(starts)) {
          if (result.status === "rejected") throw result.reason;
        }
        // The source, and a connection from before, live on.
        await send(open.writable, "still here\n");
        assert.equal(await readLine(open.readable), "still here\n");
        assert.equal((await source.client.vm.info()).state, "Running");
        assert.deepEqual(digest(snapshot), before);
        assert.deepEqual(
          readdirSync(directory).filter((name) => name.startsWith("clone")),
          [],
        );
        // Its lock is the source's.
        const [first] = clones;
        await first!.client.vm.delete();
        await assert.rejects(
          restoreVm(first!, snapshot, { config: ownPaths(first!.directory) }),
          { code: "in_use", message: new RegExp(`disk image: ${disk}`) },
        );
        await assert.rejects(first!.client.vm.info(), { code: "not_created" });
        const disks = { [disk]: join(first!.directory, "disk.raw") };
        const config = ownPaths(first!.directory, { disks });
        await restoreVm(first!, snapshot, { config });
        await assertEchoes(first!, "again");
      } finally {
        open.close();
        await Promise.all(clones.map((vmm) => vmm.kill()));
        for (const { client } of clones) client.close();
      }
    }));

  test(`${name}: a serial port can become a file in the clone`, () =>
    withSource(spawner, async ({ snapshot, disk }) => {
      const vmm = await spawnVmm(program);
      try {
        const log = join(vmm.directory, "serial.log");
        const disks = { [disk]: sparse(join(vmm.directory, "disk.raw")) };
        const config = async (config: VmConfig) => {
          config.serial = { mode: "File", file: log };
          await ownPaths(vmm.directory, { disks })(config);
        };
        await restoreVm(vmm, snapshot, { config });
        await assertEchoes(vmm, "file");
        assert.ok(existsSync(log));
      } finally {
        await vmm.kill();
        vmm.client.close();
      }
    }));

  const real = isReal
    ? spawner.testSince(53, "it does not fill the memory in the background")
    : testIf(false, "the fake has no memory");

  // A file that is cut before the restore is as one that is cut before the
  // memory is filled, without a race.
  real(
    `${name}: a VM whose memory file is cut is never filled, and ends when it needs the rest`,
    () =>
      withSource(spawner, async ({ directory, snapshot, disk }) => {
        const restore = async (size: number): Promise<VmmProcess> => {
          truncateSync(join(snapshot, "memory-ranges"), size);
          const vmm = await spawnVmm(program);
          vmms.push(vmm);
          const disks = { [disk]: sparse(join(vmm.directory, "disk.raw")) };
          const config = ownPaths(vmm.directory, { disks });
          const memory_restore_mode = "OnDemand";
          await restoreVm(vmm, snapshot, { config, memory_restore_mode })
            .catch((error) => assert.equal(size, 0, String(error)));
          return vmm;
        };
        const vmms: VmmProcess[] = [];
        try {
          const running = await restore(32 << 20);
          await assertEchoes(running, "the guest uses less than that");
          const target = join(directory, "second");
          const signal = AbortSignal.timeout(1000);
          await assert.rejects(
            snapshotVm(running, target, { signal }),
            (error) => error === signal.reason,
          );
          assert.match(running.stderr(), /abandoning background prefault/);
          const ended = await restore(0);
          assert.equal((await ended.exited).exitCode, 0);
          assert.match(ended.stderr(), /UFFD handler exited with error/);
        } finally {
          await Promise.all(vmms.map((vmm) => vmm.kill()));
          for (const { client } of vmms) client.close();
        }
      }),
  );

  const canHide =
    spawnSync("unshare", ["-m", "setpriv", "--version"]).status === 0;
  const reason = isReal
    ? "unshare and setpriv cannot hide userfaultfd"
    : "the fake needs no userfaultfd";
  const hides = isReal && canHide
    ? spawner.testSince(52, "it has no memory_restore_mode")
    : testIf(false, reason);

  hides(
    `${name}: without userfaultfd the memory is copied, and the reason is told`,
    () =>
      withSource(spawner, async ({ directory, snapshot, disk }) => {
        const vmm = await spawnVmm({
          command: [
            ...["unshare", "-m", "sh", "-c"],
            "mount --bind /dev/null /dev/userfaultfd 2>/dev/null; " +
            'exec setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "$@"',
            ...["sh", String(program.command)],
          ],
        });
        try {
          const disks = { [disk]: sparse(join(vmm.directory, "disk.raw")) };
          const edit = ownPaths(vmm.directory, { disks });
          const target = join(directory, "clone");
          using clone = await cloneSnapshot(snapshot, target, edit);
          const { memory_restore_mode, reason } = await clone.restore(vmm);
          assert.equal(memory_restore_mode, "Copy");
          assert.match(reason!, /Failed to create userfaultfd/);
          await assertEchoes(vmm, "copied");
        } finally {
          await vmm.kill();
          vmm.client.close();
        }
      }),
  );
}

interface Source {
  readonly directory: string;
  readonly source: VmmProcess;
  readonly snapshot: string;
  /** The path of the source's disk. */
  readonly disk: string;
}

/** Calls `body` with a snapshot of a VM that still runs. */
function withSource(
  { program, kernel }: Spawner,
  body: (source: Source) => Promise<void>,
): Promise<void> {
  return inDirectory(async (directory) => {
    const source = await spawnVmm(program);
    try {
      const disk = sparse(join(directory, "disk.raw"));
      await source.client.vm.create({
        payload: { kernel: kernel() },
        cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
        memory: { size: 64 << 20 },
        disks: [{ path: disk, image_type: "Raw" }],
        serial: { mode: "Socket", socket: join(directory, "serial") },
        console: { mode: "Off" },
        vsock: { cid: 3, socket: join(directory, "vsock") },
      });
      await source.client.vm.boot();
      await assertEchoes(source, "source");
      const snapshot = join(directory, "snapshot");
      await snapshotVm(source, snapshot);
      await body({ directory, source, snapshot, disk });
    } finally {
      await source.kill();
      source.client.close();
    }
  });
}

/** Asserts that the guest answers by vsock. */
async function assertEchoes(vmm: VmmProcess, word: string): Promise<void> {
  await using connection = await dialVsock(vmm, 1000, { timeoutMs });
  await send(connection.writable, `${word}\n`);
  assert.equal(await readLine(connection.readable), `${word}\n`);
}

/** Every byte of a snapshot. */
function digest(directory: string): Record<string, unknown> {
  return Object.fromEntries(
    readdirSync(directory).sort().map((name) => {
      const path = join(directory, name);
      const { mode, mtimeMs } = statSync(path);
      const hash = createHash("sha256").update(readFileSync(path));
      return [name, { mode, mtimeMs, hash: hash.digest("hex") }];
    }),
  );
}
