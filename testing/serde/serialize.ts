/** Formats values as the VMM returns them. */
import type { Release } from "../release.ts";
import type { Type } from "./type.ts";
import { structOf } from "./types.ts";

/** Returns a value of a schema without the keys that the VMM omits. */
export function render(
  release: Release,
  schema: string,
  value: object,
): unknown {
  return write(structOf(release, schema), value);
}

function write(type: Type, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (type.kind === "option") return write(type.of, value);
  if (type.kind === "list") {
    return (value as unknown[]).map((item) => write(type.of, item));
  }
  if (type.kind !== "struct") return value;
  const shown: Record<string, unknown> = {};
  for (const { name, type: of, returned } of type.fields) {
    const item = (value as Record<string, unknown>)[name];
    if (returned === "never" || returned === "if-true" && item !== true) {
      continue;
    }
    if (item === null || item === undefined) {
      if (returned === "nullable") shown[name] = null;
      continue;
    }
    shown[name] = write(of, item);
  }
  return shown;
}
