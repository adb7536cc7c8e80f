/** Adds a network device whose descriptor ch-remote inherits. */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { spawnVmm } from "../../src/process/mod.ts";

const [remote, command, kernel, tap] = process.argv.slice(2);
const vmm = await spawnVmm({
  command: command!,
  config: {
    payload: { kernel: kernel! },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 64 << 20 },
    console: { mode: "Off" },
  },
});
try {
  const [S, fd] = [vmm.socketPath, Number(tap)];
  // docs/ch-remote.md shows this call.
  execFileSync(remote!, ["--api-socket", S, "add-net", "id=net,fd=3"], {
    stdio: ["ignore", "ignore", "inherit", fd],
  });
  const { config } = await vmm.client.vm.info();
  process.stdout.write(`${JSON.stringify(config.net)}\n`);
} finally {
  await vmm.kill();
}
