/** Runs tests/programs/worker.ts in a worker, and ends by `process.exit`. */
import process from "node:process";
import { Worker as NodeWorker } from "node:worker_threads";

const url = new URL("./worker.ts", import.meta.url);
const end = (message: unknown): void => {
  process.stdout.write(`${message}\n`, () => process.exit(0));
};
if (typeof Worker === "undefined") {
  new NodeWorker(url).on("message", end);
} else {
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("message", ({ data }) => end(data));
}
