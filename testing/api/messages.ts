/** What the API itself says when an operation fails. */
import type { OperationName } from "../../src/generated/api.gen.ts";

/** The second link of each chain, by operation. */
export const messages: { readonly [name in OperationName]: string } = {
  "vmm.ping": "The VMM could not be pinged",
  "vmm.shutdown": "The VMM could not shutdown",
  "vm.info": "The VM info is not available",
  "vm.counters": "The VM info is not available",
  "vm.create": "The VM could not be created",
  "vm.delete": "The VM could not be deleted",
  "vm.boot": "The VM could not boot",
  "vm.pause": "The VM could not be paused",
  "vm.resume": "The VM could not resume",
  "vm.shutdown": "The VM could not shutdown",
  "vm.reboot": "The VM could not reboot",
  "vm.power-button": "Error triggering power button",
  "vm.nmi": "Error triggering NMI",
  "vm.resize": "The VM could not be resized",
  "vm.resize-disk": "The disk could not be resized",
  "vm.resize-zone": "The memory zone could not be resized",
  "vm.add-device": "The device could not be added to the VM",
  "vm.add-disk": "The disk could not be added to the VM",
  "vm.add-fs": "The fs could not be added to the VM",
  "vm.add-generic-vhost-user":
    "The generic vhost-user device could not be added to the VM",
  "vm.add-net": "The network device could not be added to the VM",
  "vm.add-pmem": "The pmem device could not be added to the VM",
  "vm.add-user-device": "The user device could not be added to the VM",
  "vm.add-vdpa": "The vDPA device could not be added to the VM",
  "vm.add-vsock": "The vsock device could not be added to the VM",
  "vm.remove-device": "The device could not be removed from the VM",
  "vm.snapshot": "The VM could not be snapshotted",
  "vm.coredump": "The VM could not be coredumped",
  "vm.restore": "The VM could not be restored",
  "vm.receive-migration": "Error receiving migration",
  "vm.send-migration": "Error dispatching the migration worker",
};
