/**
 * A script that moves a VM, for the tests that kill it: `mover.ts JSON step`.
 * The step is `receive`, `send` or `migrate`. It prints a line when the step has
 * begun, another with the result, and then waits.
 */
import process from "node:process";
import { connectVmm } from "../../src/process/mod.ts";
import { migrateVm, receiveVm, sendVm } from "../../src/workflows/mod.ts";

export interface Move {
  readonly from: { readonly socketPath: string; readonly eventsPath: string };
  readonly to: { readonly socketPath: string; readonly eventsPath: string };
  readonly url: string;
}

if (import.meta.main) {
  const [json, step] = process.argv.slice(2);
  const { from, to, url } = JSON.parse(json!) as Move;
  const source = await connectVmm(from.socketPath, from);
  const destination = await connectVmm(to.socketPath, to);
  const begun = step === "receive"
    ? receiveVm(destination, { url }).then(() => "listens")
    : step === "send"
    ? sendVm(source, { url })
    : migrateVm(source, destination, { url }).then(({ state }) => state);
  process.stdout.write("begun\n");
  process.stdout.write(`${await begun}\n`);
  setInterval(() => {}, 1 << 30);
}
