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
