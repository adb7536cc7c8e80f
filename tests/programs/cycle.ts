/**
 * A script that owns a VMM, for the tests that kill it: it spawns, boots and
 * stops one again and again, in the private directory below TMPDIR, and tells
 * the pid of each. `throw`, `reject`, `exit` and `halt` end it by itself.
 */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";

interface Halting {
  Deno?: { exit(code: number): never };
}

const [mode, after] = process.argv.slice(2);
// Bun reports an exception, and goes on until the script is through.
let over = false;
const act = (): void => {
  over = true;
  if (mode === "throw") throw new Error("on purpose");
  if (mode === "reject") void Promise.reject(new Error("on purpose"));
  if (mode === "exit") process.exit(3);
  // Deno's own way out tells nobody but `unload`.
  if (mode === "halt") (globalThis as never as Halting).Deno?.exit(3);
  if (mode === "halt") process.exit(3);
};
process.stdout.write("started\n");
if (mode !== "signal") setTimeout(act, Number(after));
while (!over) {
  const vmm = await spawnVmm({
    command: fakeCommand(),
    env: { FAKE_VMM_FILES: "any" },
    config: { payload: { kernel: "/boot/vmlinux" } },
  });
  process.stdout.write(`${vmm.pid}\n`);
  await vmm.stop({ timeoutMs: 60 });
}
