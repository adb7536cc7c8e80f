/** `debug_console`: the I/O port of the debug console. */
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

/** First and last port of each device that every x86_64 VM has. */
const TAKEN: readonly (readonly [first: number, last: number])[] = [
  [0x61, 0x64],
  [0x70, 0x71],
  [0x80, 0x80],
  [0x402, 0x402],
  [0x600, 0x60b],
  [0xcf8, 0xcff],
  [0xffff, 0xffff],
];
const SERIAL: readonly [number, number] = [0x3f8, 0x3ff];

export function* portViolations(
  { debug_console, serial }: Config,
): Generator<Violation> {
  const { mode, iobase: port } = debug_console;
  if (port === undefined || mode !== "File" && mode !== "Tty") return;
  const taken = serial.mode === "Off" ? TAKEN : [...TAKEN, SERIAL];
  const device = taken.find(([first, last]) => port >= first && port <= last);
  if (device === undefined) return;
  const [first, last] = device.map((port) => `0x${port.toString(16)}`);
  const advice = `another device has the ports ${first} to ${last}: use 233`;
  const message = "Failed to allocate IO port";
  yield violation("debug_console.iobase", message, { advice });
}
