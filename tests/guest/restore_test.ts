/** A VM that is restored in another VMM: its connections end, its ports live. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { dialVsock, listenVsock, openConsole } from "../../src/guest/mod.ts";
import { spawnVmm } from "../../src/process/mod.ts";
import { restoreVm, snapshotVm } from "../../src/workflows/mod.ts";
import { inDirectory } from "../support/vmms.ts";
import { readLine, send, spawners } from "./support.ts";

const timeoutMs = 30_000;
const PROMPT = "guest login: ";

for (const { name, program, kernel, test } of spawners) {
  test(`${name}: a restore ends connections, and the guest can be reached again`, () =>
    inDirectory(async (directory) => {
      const vsock = join(directory, "vsock");
      const serial = join(directory, "serial");
      const first = await spawnVmm(program);
      const second = await spawnVmm(program);
      try {
        await first.client.vm.create({
          payload: { kernel: kernel() },
          cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
          memory: { size: 64 << 20 },
          serial: { mode: "Socket", socket: serial },
          console: { mode: "Off" },
          vsock: { cid: 3, socket: vsock },
        });
        const console = await openConsole(first, { timeoutMs });
        await first.client.vm.boot();
        await console.waitFor(PROMPT, { timeoutMs });
        const connection = await dialVsock(first, 1000, { timeoutMs });
        await send(connection.writable, "before\n");
        assert.equal(await readLine(connection.readable), "before\n");

        const snapshot = join(directory, "snapshot");
        await snapshotVm(first, snapshot);
        // A snapshot alone ends nothing.
        await send(connection.writable, "after\n");
        assert.equal(await readLine(connection.readable), "after\n");
        const reading = connection.readable.getReader().read();
        await first.client.vm.delete();
        assert.deepEqual(await reading, { done: true, value: undefined });
        connection.close();
        await console.close();

        const listener = await listenVsock(vsock, 3000);
        await restoreVm(second, snapshot);
        const again = await dialVsock(second, 1000, { timeoutMs });
        await send(again.writable, "restored\n");
        assert.equal(await readLine(again.readable), "restored\n");
        again.close();
        const port = await openConsole(second, { timeoutMs });
        const options = { prompt: PROMPT, timeoutMs };
        assert.equal(await port.run("echo restored", options), "restored");
        const accepting = listener.accept({ timeoutMs });
        await port.write("connect 3000\n");
        (await accepting).close();
        listener.close();
        await port.close();
      } finally {
        await Promise.all([first.kill(), second.kill()]);
        for (const { client } of [first, second]) client.close();
      }
    }));
}
