/** The sockets of a VM are gone after its VMM, however the VMM ended. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { VmConfig } from "../../mod.ts";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import {
  replaceConfig,
  restoreVm,
  snapshotVm,
} from "../../src/workflows/mod.ts";
import { startOwner } from "../support/owner_script.ts";
import { inDirectory, programs, smallVm } from "../support/vmms.ts";

/** A VM with both kinds of sockets that a VMM creates. */
function vmWithSockets(directory: string): VmConfig {
  return smallVm(directory, {
    vsock: { cid: 3, socket: join(directory, "v.sock") },
    serial: { mode: "Socket", socket: join(directory, "serial.sock") },
  });
}

async function listenOn(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

const ENDS: Record<string, (vmm: VmmProcess) => Promise<unknown>> = {
  "kill()": (vmm) => vmm.kill(),
  "stop()": (vmm) => vmm.stop({ timeoutMs: 1000 }),
  "a signal from outside": (vmm) => {
    process.kill(vmm.pid, "SIGKILL");
    return vmm.exited;
  },
};

const [, real] = programs;

for (const { name, command, test } of programs) {
  for (const [way, end] of Object.entries(ENDS)) {
    test(`the sockets of a VM are gone after ${way}, with ${name}`, () =>
      inDirectory(async (directory) => {
        const config = vmWithSockets(directory);
        const place = join(directory, "vmm");
        for (let run = 0; run < 2; run++) {
          const vmm = await spawnVmm({ command, config, directory: place });
          if (name === real!.name) {
            assert.ok(existsSync(config.vsock!.socket));
            assert.ok(existsSync(config.serial!.socket!));
          }
          await end(vmm);
          await vmm.kill();
          assert.deepEqual(readdirSync(directory), ["guest.elf"]);
        }
      }));
  }

  test(`the sockets of a VM are gone after the script, with ${name}`, () =>
    inDirectory(async (directory) => {
      const place = join(directory, "vmm");
      const config = vmWithSockets(directory);
      for (let run = 0; run < 2; run++) {
        const options = JSON.stringify({ command, config });
        const owner = await startOwner("owner", [place, options]);
        assert.ok(Number(owner.firstLine) > 0, owner.firstLine);
        process.kill(owner.child.pid!, "SIGTERM");
        await owner.ended();
        for (let i = 0; i < 100 && readdirSync(directory).length > 1; i++) {
          await delay(5);
        }
        assert.deepEqual(readdirSync(directory), ["guest.elf"]);
      }
    }));
}

real!.test(
  "a real VMM leaves a socket of somebody else, and the error names it",
  () =>
    inDirectory(async (directory) => {
      const { command } = real!;
      const config = vmWithSockets(directory);
      for (const path of [config.vsock!.socket, config.serial!.socket!]) {
        const server = await listenOn(path);
        await assert.rejects(spawnVmm({ command, config }), {
          name: "ApiError",
          message: new RegExp(`; the socket "${path}" exists: remove it`),
        });
        assert.ok(existsSync(path));
        await new Promise((done) => server.close(done));
      }
      const vmm = await spawnVmm({ command, config });
      const target = join(directory, "snapshot");
      await snapshotVm(vmm, target);
      // Its source still has the sockets.
      const clone = await spawnVmm({ command });
      const message = /the socket ".*(v|serial)\.sock" exists: remove it/;
      await assert.rejects(restoreVm(clone, target), { message });
      await assert.rejects(replaceConfig(clone, config), { message });
      await clone.kill();
      assert.ok(existsSync(config.vsock!.socket));
      await vmm.kill();
      const restored = await spawnVmm({ command });
      assert.equal((await restoreVm(restored, target)).state, "Running");
      await restored.kill();
      assert.deepEqual(readdirSync(directory).sort(), [
        "guest.elf",
        "snapshot",
      ]);
    }),
);
