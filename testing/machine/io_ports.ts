/** The I/O ports of the debug console, which other devices must not have. */
import type { Config } from "../../src/schema/config.ts";
import { deviceManagerError } from "./vmm_error.ts";

const SERIAL = [0x3f8, 0x3ff] as const;
/** The ports that the VMM allocates before: ACPI shutdown and timer. */
const ALLOCATED = [[0x600, 0x607], [0x608, 0x60b]] as const;
/** The ports of legacy devices, which are not allocated. */
const LEGACY = [
  [0x61, 0x64],
  [0x70, 0x71],
  [0x80, 0x80],
  [0x402, 0x402],
  [0xcf8, 0xcff],
] as const;
const LAST = 0xfffe;

/** @throws {VmmError} if another device has the port of the debug console. */
export function allocateDebugPort({ debug_console, serial }: Config): void {
  const { mode, iobase } = debug_console;
  if (!["File", "Tty"].includes(mode) || iobase === undefined) return;
  const allocated = serial.mode === "Off" ? ALLOCATED : [SERIAL, ...ALLOCATED];
  if (iobase > LAST || isWithin(iobase, allocated)) {
    throw deviceManagerError("Failed to allocate IO port");
  }
  if (isWithin(iobase, LEGACY)) {
    throw deviceManagerError(
      "Cannot add legacy device to Bus",
      "The insertion failed because the new device overlapped with an old device",
    );
  }
}

function isWithin(
  port: number,
  ranges: readonly (readonly [number, number])[],
): boolean {
  return ranges.some(([first, last]) => port >= first && port <= last);
}
