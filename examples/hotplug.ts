// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" and so on.
import { createClient } from "@chv/cloud-hypervisor";
import { removeDeviceAndWait } from "@chv/cloud-hypervisor/workflows";
import { once } from "node:events";
import process from "node:process";

/**
 * Hotplug on demand: lends a running VM disks, network devices and memory,
 * until stdin ends or Ctrl-C, and then takes them back, the last one first.
 * Memory needs a VM with `hotplug_size`; only `hotplug_method` `VirtioMem` gives
 * it back.
 *
 *     deno run --allow-read --allow-write --allow-net hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 *     bun hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 *     node hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 */
const [socketPath, ...things] = process.argv.slice(2);
if (socketPath === undefined || things.length === 0) {
  console.error("usage: hotplug.ts <socket> disk=PATH net=TAP memory=MIB …");
  process.exit(2);
}
const client = createClient(socketPath);
const { vm } = client;
/** What a guest without a driver, or one that is busy, gets. */
const timeoutMs = 5000;
const lent: { name: string; takeBack: () => Promise<void> }[] = [];

try {
  for (const thing of things) {
    const [kind, value = ""] = thing.split(/=(.*)/s);
    if (kind === "memory") {
      const { memory_actual_size: before } = await vm.info();
      await vm.resize({ desired_ram: before + Number(value) * 2 ** 20 });
      const takeBack = () => vm.resize({ desired_ram: before });
      lent.push({ name: `${value} MiB`, takeBack });
    } else if (kind === "disk" || kind === "net") {
      const info = kind === "disk"
        ? await vm.addDisk({ path: value, image_type: "Raw" })
        : await vm.addNet({ tap: value });
      if (info === undefined) throw new Error("the VM is not booted");
      const { id, bdf } = info;
      const takeBack = () => removeDeviceAndWait(client, id, { timeoutMs });
      lent.push({ name: `${kind} ${value} as ${id} at ${bdf}`, takeBack });
    } else throw new TypeError(`neither disk, net nor memory: ${thing}`);
    console.log(`lent ${lent.at(-1)!.name}`);
  }
  await Promise.race([
    once(process.stdin.resume(), "end"),
    once(process, "SIGINT"),
    once(process, "SIGTERM"),
  ]);
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
for (const { name, takeBack } of lent.reverse()) {
  try {
    await takeBack();
    console.log(`took back ${name}`);
  } catch (error) {
    console.error(`did not get back ${name}: ${error}`);
    process.exitCode = 1;
  }
}
process.exit();
