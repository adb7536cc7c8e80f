// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { createClient } from "@chv/cloud-hypervisor";
import { removeDeviceAndWait } from "@chv/cloud-hypervisor/workflows";
import { once } from "node:events";
import process from "node:process";

/**
 * Adds disks, network devices and memory to a running VM, and removes them,
 * the last one first, when stdin ends or on Ctrl-C. Memory needs a VM with
 * `hotplug_size`; it can be removed with `hotplug_method` `VirtioMem` only.
 *
 *     deno run --allow-read --allow-write --allow-net hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 *     bun hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 *     node hotplug.ts <socket> disk=PATH net=TAP memory=MIB
 */
const [socketPath, ...requests] = process.argv.slice(2);
if (socketPath === undefined || requests.length === 0) {
  console.error("usage: hotplug.ts <socket> disk=PATH net=TAP memory=MIB …");
  process.exit(2);
}
const client = createClient(socketPath);
const { vm } = client;
/** For a guest that has no driver, or that is busy. */
const timeoutMs = 5000;
const added: { name: string; remove: () => Promise<void> }[] = [];

try {
  for (const request of requests) {
    const [kind, value = ""] = request.split(/=(.*)/s);
    if (kind === "memory") {
      const { memory_actual_size: before } = await vm.info();
      await vm.resize({ desired_ram: before + Number(value) * 2 ** 20 });
      const remove = () => vm.resize({ desired_ram: before });
      added.push({ name: `${value} MiB`, remove });
    } else if (kind === "disk" || kind === "net") {
      const info = kind === "disk"
        ? await vm.addDisk({ path: value, image_type: "Raw" })
        : await vm.addNet({ tap: value });
      if (info === undefined) throw new Error("the VM is not booted");
      const { id, bdf } = info;
      const remove = () => removeDeviceAndWait(client, id, { timeoutMs });
      added.push({ name: `${kind} ${value} as ${id} at ${bdf}`, remove });
    } else throw new TypeError(`neither disk, net nor memory: ${request}`);
    console.log(`added ${added.at(-1)!.name}`);
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
for (const { name, remove } of added.reverse()) {
  try {
    await remove();
    console.log(`removed ${name}`);
  } catch (error) {
    console.error(`could not remove ${name}: ${error}`);
    process.exitCode = 1;
  }
}
process.exit();
