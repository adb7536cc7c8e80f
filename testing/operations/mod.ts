/** What each operation does, once the table of states has let it pass. */
import type { OperationName } from "../../src/generated/api.gen.ts";
import { boot, create, reboot } from "./boot.ts";
import { addDisk, addTo, addVsock, remove } from "./hotplug.ts";
import { counters, info, ping } from "./info.ts";
import { receive, send } from "./migrate.ts";
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
import { restore, snapshot } from "./snapshot.ts";
import type { Machine } from "../machine/machine.ts";

/** Works on a machine; the body is as its schema says. */
type Action = (machine: Machine, body: never) => unknown;

/** The work of each operation. */
export const operations: { readonly [name in OperationName]: Action } = {
  "vmm.ping": ping,
  "vmm.shutdown": shutdownVmm,
  "vm.info": info,
  "vm.counters": counters,
  "vm.create": create,
  "vm.delete": erase,
  "vm.boot": boot,
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
