// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" instead.
import { ApiError, createClient } from "@chv/cloud-hypervisor";

/** Boots a VM, and leaves no half-built one behind when that fails. */
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
