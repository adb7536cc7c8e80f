/** Boots a VM whose network is a descriptor that the script inherited. */
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";
import { CPUS_FLAG } from "../support/real_vmm.ts";

const [command, kernel, fd] = process.argv.slice(2);
const vmm = await spawnVmm({
  command: command!,
  fds: [Number(fd)],
  args: [
    "--kernel",
    kernel!,
    "--cpus",
    CPUS_FLAG,
    "--memory",
    "size=64M",
    "--console",
    "off",
    "--net",
    "id=net,fd=3,mac=2e:00:00:00:00:01",
  ],
});
try {
  const { state, config } = await vmm.client.vm.info();
  process.stdout.write(`${JSON.stringify([state, config.net])}\n`);
} finally {
  await vmm.kill();
}
