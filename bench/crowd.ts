/** Several fakes in one process: prints their sockets, and ends with stdin. */
import process from "node:process";
import { FakeVmm } from "../testing/mod.ts";

const count = Number(process.argv[2]);
const vmms = await Promise.all(
  Array.from({ length: count }, () => FakeVmm.start()),
);
console.log(JSON.stringify(vmms.map(({ socketPath }) => socketPath)));
process.stdin.resume().on("end", async () => {
  await Promise.all(vmms.map((vmm) => vmm.close()));
  process.exit();
});
