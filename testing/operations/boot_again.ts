/** `vm.boot` of a VM that is there, which old releases do not refuse. */
import { openConsoles } from "../machine/consoles.ts";
import type { Machine } from "../machine/machine.ts";
import { loadPayload } from "../machine/payload.ts";
import { boot } from "./boot.ts";
import { resume } from "./run.ts";

/**
 * Boots the VM. A paused VM is resumed, and a half-built VM runs: without a
 * payload, its guest ends at once, and the process with it.
 */
export function bootOrResume(machine: Machine): void {
  const { instance } = machine;
  if (instance === undefined) return boot(machine);
  machine.emit("booting");
  if (!machine.consolesOpen) openConsoles(machine, machine.stored);
  if (instance.state === "Paused") {
    resume(machine);
    return machine.emit("booted");
  }
  instance.state = "Running";
  machine.emit("booted");
  try {
    loadPayload(machine.parts.host, machine.stored);
  } catch {
    // The response is sent before.
    setImmediate(() => machine.guest.powerOff());
    return;
  }
  machine.guest.start();
}
