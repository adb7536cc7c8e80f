/** The consoles, which are opened when a configuration is stored. */
import { writeFileSync } from "node:fs";
import type { Config } from "../../src/schema/config.ts";
import type { Machine } from "./machine.ts";
import { osError, Panic, VmmError } from "./vmm_error.ts";

/**
 * Opens the consoles of a configuration.
 *
 * @throws {Panic} where a path is missing: nobody checked that before.
 */
export function openConsoles(machine: Machine, config: Config): void {
  machine.consolesOpen = false;
  openConsole("console", config.console);
  openConsole("serial", config.serial);
  openConsole("debug_console", config.debug_console);
  machine.consolesOpen = true;
}

/** As far as the three are alike. */
interface Console {
  mode: string;
  file?: string;
  socket?: string;
}

function openConsole(name: string, console: Console): void {
  switch (console.mode) {
    case "File":
      if (console.file === undefined) throw new Panic(`${name} without a file`);
      return create(console.file);
    case "Socket":
      if (name !== "serial") {
        throw failed("No socket option support for console device");
      }
      if (console.socket === undefined) {
        throw new Panic("serial without a socket");
      }
      return;
    case "Pty":
      console.file ??= "/dev/pts/0";
  }
}

function create(path: string): void {
  try {
    writeFileSync(path, "");
  } catch (error) {
    throw failed("Error creating console device", osError(error));
  }
}

function failed(...chain: string[]): VmmError {
  return new VmmError("failed", "Error creating console devices", ...chain);
}
