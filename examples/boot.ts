// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { ApiError, createClient } from "@chv/cloud-hypervisor";

/** Boots a VM. If the boot fails, the half-built VM is deleted. */
export async function bootVm(socketPath: string, disk: string): Promise<void> {
  const { vm } = createClient(socketPath);
  await vm.create({
    payload: { kernel: "/boot/vmlinux" },
    disks: [{ path: disk }],
  });
  try {
    await vm.boot();
  } catch (error) {
    if (error instanceof ApiError) await vm.delete();
    throw error;
  }
}
