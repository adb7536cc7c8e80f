/** The operations of the VMM, by name. */
import type { OperationName } from "../../src/generated/api.gen.ts";
import { create, reboot } from "./boot.ts";
import { bootOrResume } from "./boot_again.ts";
import { addDisk, addTo, addVsock, remove } from "./hotplug.ts";
import { counters, info, ping } from "./info.ts";
import { receive } from "./receive_migration.ts";
import { resize, resizeDisk, resizeZone } from "./resize.ts";
import {
  coredump,
  erase,
  nmi,
  pause,
  powerButton,
  resume,
  shutdown,
  shutdownVmm,
} from "./run.ts";
import { send } from "./send_migration.ts";
import { restore, snapshot } from "./snapshot.ts";
import type { Machine } from "../machine/machine.ts";
import { stateError } from "../machine/state_error.ts";
import { assertAllowed } from "../machine/state_table.ts";

/**
 * Performs an operation.
 *
 * @param body The request body, as `deserialize()` returns it.
 * @returns The data of the response, or a promise of it.
 * @throws {VmmError} if the operation is refused.
 * @throws {Panic | Killed} if the request ends the process.
 */
export function perform(
  machine: Machine,
  operation: OperationName,
  body: unknown,
): unknown {
  const { state, release } = machine;
  if (machine.instance?.isFilling) assertFilled(operation);
  assertAllowed(operation, state, release, (event) => machine.emit(event));
  return operations[operation](machine, body as never);
}

/** @throws {VmmError} for what needs all memory, whatever the VM's state is. */
function assertFilled(operation: OperationName): void {
  if (operation === "vm.snapshot") throw stateError("snapshotFilling");
  if (operation === "vm.send-migration") throw stateError("sendFilling");
}

/** Performs one operation, which the state of the machine allows. */
type Operation = (machine: Machine, body: never) => unknown;

const operations: { readonly [name in OperationName]: Operation } = {
  "vmm.ping": ping,
  "vmm.shutdown": shutdownVmm,
  "vm.info": info,
  "vm.counters": counters,
  "vm.create": create,
  "vm.delete": erase,
  "vm.boot": bootOrResume,
  "vm.pause": pause,
  "vm.resume": resume,
  "vm.shutdown": shutdown,
  "vm.reboot": reboot,
  "vm.power-button": powerButton,
  "vm.nmi": nmi,
  "vm.snapshot": snapshot,
  "vm.coredump": coredump,
  "vm.restore": restore,
  "vm.resize": resize,
  "vm.resize-disk": resizeDisk,
  "vm.resize-zone": resizeZone,
  "vm.remove-device": remove,
  "vm.add-device": addTo("devices", "vfio"),
  "vm.add-disk": addDisk,
  "vm.add-fs": addTo("fs", "fs"),
  "vm.add-generic-vhost-user": addTo("generic_vhost_user", "generic"),
  "vm.add-net": addTo("net", "net"),
  "vm.add-pmem": addTo("pmem", "pmem"),
  "vm.add-user-device": addTo("user_devices", "vfio-user"),
  "vm.add-vdpa": addTo("vdpa", "vdpa"),
  "vm.add-vsock": addVsock,
  "vm.receive-migration": receive,
  "vm.send-migration": send,
};
