/** Pauses, resumes and ends a VM. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { VmCoredumpData } from "../../src/generated/types.gen.ts";
import { stateError } from "../machine/state_error.ts";
import { type Exit, exitCode } from "../machine/exit.ts";
import type { Machine } from "../machine/machine.ts";
import { osError, VmmError } from "../machine/vmm_error.ts";
import { end } from "./boot.ts";

export function pause(machine: Machine): void {
  machine.emit("pausing");
  machine.owned.state = "Paused";
  machine.emit("paused");
}

export function resume(machine: Machine): void {
  machine.emit("resuming");
  machine.owned.state = "Running";
  machine.emit("resumed");
  machine.guest.resume();
}

/** Ends the VM. Its configuration stays. */
export function shutdown(machine: Machine): void {
  end(machine);
  machine.emit("shutdown");
}

/** Ends the VM, if there is one, and deletes its configuration. */
export function erase(machine: Machine): void {
  if (machine.config === undefined) return;
  if (machine.instance !== undefined) shutdown(machine);
  machine.config = undefined;
  machine.emit("deleted");
}

/** Ends the process. The response can be an error all the same. */
export function shutdownVmm(machine: Machine): void {
  endVmm(machine, exitCode(0));
}

/** Ends the process as a signal does, with code 1 if the VM cannot end. */
export function terminateVmm(machine: Machine): void {
  endVmm(machine, exitCode(1));
}

function endVmm(machine: Machine, failure: Exit): void {
  const { events, exit } = machine.parts;
  try {
    if (machine.outgoing !== undefined) throw stateError("migrating");
    erase(machine);
    events.emit("vmm", "shutdown");
  } catch (error) {
    exit(failure);
    throw error;
  }
  exit(exitCode(0));
}

export function powerButton(machine: Machine): void {
  machine.guest.pressPowerButton();
}

export function nmi(machine: Machine): void {
  machine.guest.receiveNmi();
}

/** Writes the file of a core dump, without the memory of the guest. */
export function coredump(
  machine: Machine,
  { destination_url: url }: VmCoredumpData,
): void {
  machine.emit("coredumping");
  const running = machine.owned.state === "Running";
  if (running) pause(machine);
  if (!url.startsWith("file://")) {
    throw coredumpFailed(`Could not extract file from URL: ${url}`);
  }
  try {
    const fd = openSync(url.slice("file://".length), "wx+", 0o600);
    writeSync(fd, "\x7fELF");
    closeSync(fd);
  } catch (error) {
    throw coredumpFailed(osError(error));
  }
  if (running) resume(machine);
}

function coredumpFailed(reason: string): VmmError {
  return new VmmError("failed", "Error coredumping VM", "coredump", reason);
}
