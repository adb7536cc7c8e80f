/** `console`, `serial` and `debug_console`. */
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

export function* consoleViolations(
  { console, serial }: Config,
): Generator<Violation> {
  for (const [name, { mode, file }] of Object.entries({ console, serial })) {
    if (mode !== "File" || file !== undefined) continue;
    yield violation(
      `${name}.file`,
      "Path missing when using file console mode",
    );
  }
}

/** Only a serial port can listen on a socket. */
export function* consoleSocketViolations(
  { console, debug_console }: Config,
): Generator<Violation> {
  const devices = Object.entries({ console, debug_console });
  for (const [name, { mode }] of devices) {
    if (mode !== "Socket") continue;
    const message = "No socket option support for console device";
    const advice = 'use "Pty" or "File", or "serial" with mode "Socket"';
    yield violation(`${name}.mode`, message, { advice });
  }
}
