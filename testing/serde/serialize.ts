/** Formats values as the VMM returns them. */
import type { Release } from "../release_type.ts";
import type { Type } from "./type.ts";
import { structOf } from "./types.ts";

/** Returns a value of a schema without the keys that the VMM omits. */
export function render(
  release: Release,
  schema: string,
  value: object,
): unknown {
  return write(structOf(release, schema), value, release);
}

function write(type: Type, value: unknown, release: Release): unknown {
  if (value === null || value === undefined) return value;
  if (type.kind === "option") return write(type.of, value, release);
  if (type.kind === "list") {
    return (value as unknown[]).map((item) => write(type.of, item, release));
  }
  if (type.kind !== "struct") return value;
  const shown: Record<string, unknown> = {};
  for (const { name, type: of, returned } of type.fields) {
    const item = (value as Record<string, unknown>)[name];
    if (
      returned === "never" ||
      returned === "if-true" && item !== true &&
        !release.writes.includes("false")
    ) {
      continue;
    }
    if (item === null || item === undefined) {
      const isNull = returned === "nullable" || release.writes.includes("null");
      if (isNull) shown[name] = null;
      continue;
    }
    shown[name] = write(of, item, release);
  }
  return shown;
}
