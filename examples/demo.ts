/**
 * The life of a VM: boot, inspect, hotplug, snapshot, restore, stop.
 * `npm run demo` in a clone. Takes the installed cloud-hypervisor where there
 * is one and /dev/kvm can be opened, else the fake, and prints which.
 */
import { ApiError } from "@chv/cloud-hypervisor";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { restoreVm, snapshotVm } from "@chv/cloud-hypervisor/workflows";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestElf } from "./guest.ts";

const MIB = 1024 * 1024;

const program = fakeUnlessInstalled({ guest: { powersOffAfterMs: 10 } });
print("VMM", program.name);
const vmm = await spawnVmm(program);
try {
  // `vmm.directory` is deleted together with the VMM.
  const file = (name: string): string => join(vmm.directory, name);
  writeFileSync(file("guest.elf"), guestElf("hello from the guest"));
  createImage(file("disk.raw"));
  createImage(file("data.raw"));

  const { vm } = vmm.client;
  await vm.create({
    payload: { kernel: file("guest.elf") },
    cpus: { boot_vcpus: 1, max_vcpus: 2, nested: false },
    memory: { size: 128 * MIB },
    disks: [{ path: file("disk.raw"), image_type: "Raw" }],
    serial: { mode: "File", file: file("serial.log") },
    console: { mode: "Off" },
  });
  print("create", "stored; the VMM validates the configuration at the boot");
  await vm.boot();
  const { state, config, memory_actual_size } = await vm.info();
  const { boot_vcpus, max_vcpus } = config.cpus;
  const memory = `${memory_actual_size / MIB} MiB`;
  print("boot", `${state}, ${boot_vcpus} of ${max_vcpus} vCPUs, ${memory}`);

  for (const [id, counters] of Object.entries(await vm.counters())) {
    print("counters", `${id} has read ${counters["read_bytes"]} bytes`);
  }
  const device = await vm.addDisk({
    id: "data",
    path: file("data.raw"),
    image_type: "Raw",
  });
  print("add-disk", `${device?.id} at ${device?.bdf}`);
  await vm.resize({ desired_vcpus: 2 });
  print("resize", "2 vCPUs");

  // Each refusal has a code, the same for all releases of the VMM.
  const refusal = await vm.boot().catch((error: ApiError) => error);
  if (refusal) print("boot again", `${refusal.code}: ${refusal.message}`);

  await backUp(file("snapshot"));
} finally {
  const { step } = await vmm.stop({ timeoutMs: 2000 });
  print("stop", `the VMM ended after ${step}`);
}

/** Saves the VM into a directory, deletes it, and restores it from there. */
async function backUp(snapshot: string): Promise<void> {
  try {
    await snapshotVm(vmm, snapshot);
    print("snapshot", "saved; the VM was paused meanwhile");
    await vmm.client.vm.delete();
    const { state } = await restoreVm(vmm, snapshot);
    print("restore", state);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    print("snapshot", `this host refuses it: ${error.message}`);
  }
}

/** Creates an empty disk image that takes no space. */
function createImage(path: string): void {
  writeFileSync(path, "");
  truncateSync(path, 16 * MIB);
}

function print(step: string, result: string): void {
  console.log(`${step.padEnd(12)} ${result}`);
}
