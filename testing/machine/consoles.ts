/** The consoles, which open when a configuration is stored. */
import { writeFileSync } from "node:fs";
import type { Config } from "../../src/schema/config.ts";
import type { Machine } from "./machine.ts";
import { openPty } from "./pty.ts";
import { osError, Panic, VmmError } from "./vmm_error.ts";

/**
 * Opens the consoles of a configuration.
 *
 * @throws {VmmError} if a console cannot be opened.
 * @throws {Panic} if a path is missing: the VMM does not check that before.
 */
export function openConsoles(machine: Machine, config: Config): void {
  machine.consolesOpen = false;
  machine.closePtys();
  const { serial } = config;
  openConsole(machine, "console", config.console, !TERMINALS.has(serial.mode));
  openConsole(machine, "serial", serial, true);
  openConsole(machine, "debug_console", config.debug_console);
  machine.consolesOpen = true;
}

/** Closes the consoles of a VM that existed; the serial socket goes away. */
export function closeConsoles(machine: Machine): void {
  machine.consolesOpen = false;
  machine.closePtys();
  machine.closeSerial?.();
  machine.closeSerial = undefined;
}

/** The fields that the three consoles share. */
interface Console {
  mode: string;
  file?: string;
  socket?: string;
}

/** The modes in which the serial port is the terminal of the guest's shell. */
const TERMINALS: ReadonlySet<string> = new Set(["File", "Socket", "Pty"]);

function openConsole(
  machine: Machine,
  name: string,
  console: Console,
  isTerminal = false,
): void {
  switch (console.mode) {
    case "File": {
      const { file } = console;
      if (file === undefined) throw new Panic(`${name} without a file`);
      return create(() => writeFileSync(file, ""));
    }
    case "Socket":
      if (name !== "serial") {
        throw failed("No socket option support for console device");
      }
      return listen(machine, console.socket);
    case "Pty": {
      const pty = create(openPty);
      machine.ptys.push(pty);
      console.file = pty.path;
      if (isTerminal) machine.guest.attachSerial(pty.input, pty.output);
    }
  }
}

function listen(machine: Machine, path: string | undefined): void {
  if (path === undefined) throw new Panic("serial without a socket");
  const { sockets } = machine.parts.host;
  const close = create(() =>
    sockets.listen(path, (socket) => machine.guest.attachSerial(socket, socket))
  );
  // The file of a socket that no VM has used stays.
  machine.closeSerial?.(true);
  machine.closeSerial = close;
}

function create<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const reason = code === undefined ? message : osError(error);
    throw failed("Error creating console device", reason);
  }
}

function failed(...chain: string[]): VmmError {
  return new VmmError("failed", "Error creating console devices", ...chain);
}
