/** A fake VMM in a process of its own, until its input ends. */
import process from "node:process";
import { FakeVmm } from "../../testing/mod.ts";

const vmm = await FakeVmm.start({ socketPath: process.argv[2]! });
process.stdout.write("ready\n");
process.stdin.resume().on("end", async () => {
  // The end of its input may come before that of the last connection.
  for (let turn = 0; turn < 1000 && vmm.openConnections > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stdout.write(`${vmm.openConnections}\n`);
  await vmm.close();
  process.exit();
});
