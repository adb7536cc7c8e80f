/** Spawns a VMM in a worker, and reports the outcome. */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";
import { fakeCommand } from "../../testing/mod.ts";

const { postMessage } = globalThis as {
  postMessage?: (message: string) => void;
};
const send = postMessage ?? await messagePort();
try {
  const parentDeathSignal = process.env["PARENT_DEATH_SIGNAL"] !== undefined;
  const directory = process.env["DETACHED_DIRECTORY"];
  const vmm = await spawnVmm({
    command: fakeCommand(),
    parentDeathSignal,
    ...directory !== undefined && { detach: true, directory },
  });
  send(`${vmm.pid}`);
} catch (error) {
  send((error as Error).message);
}

async function messagePort(): Promise<(message: string) => void> {
  const { parentPort } = await import("node:worker_threads");
  return (message) => parentPort!.postMessage(message);
}
