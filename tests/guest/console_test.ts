/** Consoles on a serial port in mode `Socket`. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { logConsole, openConsole } from "../../src/guest/mod.ts";
import {
  hosts,
  KEEPS_CLIENTS,
  LOSES_OUTPUT,
  waitForPrompt,
} from "./support.ts";

const timeoutMs = 20_000;
const wait = { timeoutMs };
const PROMPT = "guest login: ";

for (const host of hosts) {
  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: a console that is opened before the boot misses nothing`,
    () =>
      host.with(async ({ vmm, serial }) => {
        await using console = await openConsole({ socket: serial });
        await vmm.client.vm.boot();
        const { before, text } = await console.waitFor(PROMPT, wait);
        assert.match(before, /^micro guest\r\nvsock cid 3\r\n/);
        assert.equal(text, PROMPT);
        assert.ok(console.transcript.startsWith("micro guest"));
      }),
  );

  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: a console that is opened late gets the boot's output`,
    () =>
      host.with(async ({ vmm }) => {
        await vmm.client.vm.boot();
        const opening = openConsole(vmm);
        await using console = await opening;
        await console.waitFor(PROMPT, wait);
        assert.match(console.transcript, /^micro guest/);
      }),
  );

  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: run() gives a command's output alone`,
    () =>
      host.with(async ({ vmm }) => {
        await using console = await openConsole(vmm);
        await vmm.client.vm.boot();
        await console.waitFor(PROMPT, wait);
        const options = { prompt: PROMPT, ...wait };
        assert.equal(await console.run("echo one", options), "one");
        assert.equal(
          await console.run("flood 3", options),
          "line 0\nline 1\nline 2",
        );
        assert.equal(await console.run("echo (a|b)*", options), "(a|b)*");
        await assert.rejects(console.run("a\nb", options), {
          field: "command",
        });
      }),
  );

  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: a wait that fails shows what was there`,
    () =>
      host.with(async ({ vmm }) => {
        await using console = await openConsole(vmm);
        await vmm.client.vm.boot();
        await console.waitFor(PROMPT, wait);
        await console.write("echo \x1b[31mred\n");
        await console.waitFor("31mred\r\n", wait);
        const late = console.waitFor(/never (\d)/, { timeoutMs: 300 });
        await assert.rejects(late, (error: Error & { code: string }) => {
          assert.equal(error.code, "deadline");
          assert.match(error.message, /never \(\\d\)/);
          assert.match(error.message, /u001b\[31mred/);
          assert.doesNotMatch(error.message, /\p{Cc}/u);
          return true;
        });
        const gone = console.waitFor("never");
        const lines = (async () => {
          const all = [];
          for await (const line of console.lines()) all.push(line);
          return all;
        })();
        await vmm.kill();
        await assert.rejects(gone, { code: "vmm_exited", message: /never/ });
        assert.ok((await lines).includes("\x1b[31mred"));
        await console.closed;
      }),
  );

  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: the power-off of the guest ends the console after its last line`,
    () =>
      host.with(async ({ vmm }) => {
        await using console = await openConsole(vmm);
        await vmm.client.vm.boot();
        await console.waitFor(PROMPT, wait);
        // The guest's own connection: nobody listens.
        await console.waitFor("host refused\r\n", wait);
        await console.write("off\n");
        const lines = [];
        for await (const line of console.lines()) lines.push(line);
        assert.deepEqual(lines, ["off", "off"]);
      }),
  );

  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: 10,000 lines come once each, over three reboots`,
    () =>
      host.with(async ({ vmm, serial }) => {
        const file = join(vmm.directory, "log");
        const log = logConsole(vmm, file, { maxBytes: 40_000, keep: 9 });
        const { console } = log;
        await console.connected;
        await vmm.client.vm.boot();
        const counts: number[] = [];
        for (let boot = 0; boot < 4; boot++) {
          await console.waitFor(PROMPT, wait);
          await console.write("flood 2500\n");
          let count = 0;
          for await (const line of console.lines()) {
            if (line === `line ${count}`) count++;
            if (count === 2500) break;
          }
          await console.waitFor(PROMPT, wait);
          counts.push(count);
          if (boot < 3) await vmm.client.vm.reboot();
        }
        assert.deepEqual(counts, [2500, 2500, 2500, 2500]);
        assert.equal(console.lost, 0);
        await log.close();
        await log.done;
        let text = "";
        for (const number of [9, 8, 7, 6, 5, 4, 3, 2, 1]) {
          const part = `${file}.${number}`;
          if (!existsSync(part)) continue;
          assert.ok(statSync(part).size <= 40_000);
          text += readFileSync(part, "utf8");
        }
        text += readFileSync(file, "utf8");
        const lines = text.split("\n").filter((line) => /^line \d/.test(line));
        assert.equal(lines.length, 10_000);
        assert.equal(text.match(/micro guest$/gm)?.length, 4);
        assert.equal(statSync(file).mode & 0o777, 0o600);
        assert.ok(existsSync(serial));
      }),
  );

  host.testSince(50, KEEPS_CLIENTS)(
    `${host.name}: the port is usable after each way out of a console`,
    () =>
      host.with(async ({ vmm, serial }) => {
        await vmm.client.vm.boot();
        const ways: ((controller: AbortController) => Promise<unknown>)[] = [
          async () => {
            await using console = await openConsole({ socket: serial });
            await console.write("flood 3000\n");
            await console.waitFor("line 10\r\n", wait);
          },
          async ({ signal }) => {
            const console = await openConsole({ socket: serial }, { signal });
            await console.write("flood 3000\n");
            await console.waitFor("line 10\r\n", wait);
            const waiting = console.waitFor("never");
            return Promise.all([waiting, console.closed]);
          },
          async ({ signal }) => {
            const writer = await openConsole({ socket: serial });
            await writer.write("flood 3000\n");
            await writer.close();
            for (let round = 0; round < 10; round++) {
              const own = AbortSignal.any([signal, AbortSignal.timeout(round)]);
              await openConsole({ socket: serial }, { signal: own })
                .then((console) => console.close(), () => {});
            }
          },
        ];
        for (const way of ways) {
          const controller = new AbortController();
          const going = way(controller);
          const reason = new Error("enough");
          setTimeout(() => controller.abort(reason), 200);
          await going.catch((error) => assert.equal(error, reason));
          await using console = await openConsole({ socket: serial });
          await console.write("echo still here\n");
          await console.waitFor("\nstill here\r\n", wait);
        }
      }),
  );

  host.test(
    `${host.name}: a second console takes the port over`,
    () =>
      host.with(async ({ vmm, serial }) => {
        const first = await openConsole(vmm);
        await vmm.client.vm.boot();
        await waitForPrompt(first);
        await using second = await openConsole({ socket: serial });
        await assert.rejects(first.waitFor("never", wait), { code: "in_use" });
        await first.closed;
        await second.write("echo mine\n");
        await second.waitFor("\nmine\r\n", wait);
      }),
  );
}
