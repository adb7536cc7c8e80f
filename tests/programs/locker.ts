/**
 * Takes the lock of a directory a number of times, and fails if another process
 * has it, too. With `hold` it keeps the lock until SIGKILL.
 */
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { lockDirectory } from "../../src/process/directory_lock.ts";
import { AbortScope } from "../../src/wait/abort_scope.ts";

const [directory, rounds] = process.argv.slice(2) as [string, string];
const scope = new AbortScope({ timeoutMs: 60_000 });
if (rounds === "hold") {
  await lockDirectory(directory, () => {}, scope);
  process.stdout.write("held\n");
  setInterval(() => {}, 1000);
} else {
  const inside = join(directory, "inside");
  for (let round = 0; round < Number(rounds); round++) {
    const lock = await lockDirectory(directory, () => {}, scope);
    mkdirSync(inside);
    await delay(2);
    rmdirSync(inside);
    lock.release();
  }
  process.stdout.write("done\n");
  scope.close();
}
