/** Fills in the defaults of a request. */
import type { JsonSchema } from "../generated_support/json_schema.ts";
import { resolve, resolveName } from "./resolve.ts";

/**
 * The request as the VMM reads it: with every default, without members that are
 * null and without the file descriptors of devices. It must match its schema.
 * Unknown keys are left out.
 */
export function withDefaults(name: string, value: unknown): unknown {
  return complete(resolveName(name).schema, value);
}

function complete(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = resolve(schema.items!).schema;
    return value.map((item) => complete(items, item));
  }
  if (typeof value !== "object" || value === null) return value;
  const given = value as Record<string, unknown>;
  const whole: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const { schema: target } = resolve(property);
    const member = (Object.hasOwn(given, key) ? given[key] : undefined) ??
      property.default ?? target.default;
    if (member === undefined || member === null) continue;
    // JSON carries no descriptor: the VMM drops these keys.
    if (key === "fd" || key === "fds") continue;
    whole[key] = complete(target, member);
  }
  return whole;
}
