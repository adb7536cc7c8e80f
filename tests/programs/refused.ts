/** Prints the error of `spawnVmm`, which gets its options as JSON. */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";

try {
  const vmm = await spawnVmm(JSON.parse(process.argv[2]!));
  process.stdout.write(`${vmm.pid} runs\n`);
  await vmm.kill();
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
