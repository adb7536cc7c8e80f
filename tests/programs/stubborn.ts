/**
 * The fake as a program that does not end when it should: `STUBBORN` lists the
 * operations that hang, and SIGTERM if it is to be ignored.
 */
import { openSync } from "node:fs";
import process from "node:process";
import type { OperationName } from "../../mod.ts";
import { FakeVmm } from "../../testing/mod.ts";

const args = process.argv.slice(2);
const pathOf = (flag: string): string =>
  args[args.indexOf(flag) + 1]!.slice("path=".length);
const refusals = (process.env["STUBBORN"] ?? "").split(",").filter(Boolean);
const powersOff = process.env["POWERS_OFF"] !== undefined;

if (refusals.includes("SIGTERM")) process.on("SIGTERM", () => {});
const vmm = await FakeVmm.start({
  socketPath: pathOf("--api-socket"),
  eventFd: openSync(pathOf("--event-monitor"), "w"),
  files: "any",
  guest: powersOff ? { powersOffAfterMs: 1 } : {},
});
for (const name of refusals) {
  if (name === "SIGTERM") continue;
  vmm.injectFault({
    operation: name as OperationName,
    times: Infinity,
    fault: { status: 500, chain: ["Error from API", "it does not want to"] },
  });
}
if (!refusals.includes("SIGTERM")) {
  process.on("SIGTERM", () => void vmm.terminate());
}
await vmm.exited;
process.exit(0);
