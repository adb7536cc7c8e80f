/** A VMM that dies says so in the call that fails. */
import assert from "node:assert/strict";
import process from "node:process";
import { join } from "node:path";
import { spawnVmm } from "../../src/process/mod.ts";
import { snapshotVm } from "../../src/workflows/mod.ts";
import { VmmExitedError } from "../../mod.ts";
import { inDirectory, programs, smallVm } from "../support/vmms.ts";

for (const { name, command, test } of programs) {
  test(`a call that fails because ${name} was killed is a VmmExitedError`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory);
      const vmm = await spawnVmm({ command, config });
      const { vm, vmm: api } = vmm.client;
      process.kill(vmm.pid, "SIGKILL");
      await assert.rejects(vm.pause(), (error) => {
        assert.ok(error instanceof VmmExitedError);
        const { signal, operation, socketPath, cause } = error;
        assert.deepEqual({ signal, operation, socketPath }, {
          signal: "SIGKILL",
          operation: "vm.pause",
          socketPath: vmm.socketPath,
        });
        const { code } = cause as { code: string };
        assert.ok(["closed", "refused", "socket_missing"].includes(code), code);
        return true;
      });
      await assert.rejects(api.ping(), { code: "vmm_exited" });
      // A workflow does not try to roll back, either.
      await assert.rejects(snapshotVm(vmm, join(directory, "a")), {
        code: "vmm_exited",
      });
      await vmm.kill();
    }));
}

const [fake, real] = programs;

real!.test(
  "spawnVmm() tells the signal and stderr of a real VMM that dies at the boot",
  () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory, { memory: { size: 2 ** 50 } });
      await assert.rejects(
        spawnVmm({ command: real!.command, config }),
        (error) => {
          assert.ok(error instanceof VmmExitedError, String(error));
          assert.ok(error.signal === "SIGABRT" || error.exitCode === 1);
          assert.match(error.stderr, /allocat|panicked/);
          assert.match(
            error.message,
            /was ended by SIGABRT|exited with code 1/,
          );
          return true;
        },
      );
    }),
);

fake!.test(
  "spawnVmm() tells the exit code and stderr of a fake that dies at vm.create",
  () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory, { console: { mode: "File" } });
      await assert.rejects(
        spawnVmm({
          command: fake!.command,
          config,
          client: { allowFatal: true },
        }),
        { name: "VmmExitedError", exitCode: 1, operation: "vm.create" },
      );
    }),
);
