/** Fills in the defaults of a request. */
import type { VmmRelease } from "../generated_support/release.ts";
import { lackOf, oldDefaultOf } from "./releases.ts";
import { resolve, type Resolved, resolveName } from "./resolve.ts";

/**
 * The request as the VMM reads it: with every default, without members that are
 * null and without the file descriptors of devices. It must match its schema.
 * Keys that the release does not know are left out.
 */
export function withDefaults(
  name: string,
  value: unknown,
  release?: VmmRelease,
): unknown {
  return complete(resolveName(name), value, release);
}

function complete(
  { schema, name }: Resolved,
  value: unknown,
  release: VmmRelease | undefined,
): unknown {
  if (Array.isArray(value)) {
    const items = resolve(schema.items!);
    return value.map((item) => complete(items, item, release));
  }
  if (typeof value !== "object" || value === null) return value;
  const given = value as Record<string, unknown>;
  const whole: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (lackOf(name, key, release) !== undefined) continue;
    const target = resolve(property);
    const member = (Object.hasOwn(given, key) ? given[key] : undefined) ??
      oldDefaultOf(name, key, release) ??
      property.default ?? target.schema.default;
    if (member === undefined || member === null) continue;
    // JSON carries no descriptor: the VMM drops these keys.
    if (key === "fd" || key === "fds") continue;
    whole[key] = complete(target, member, release);
  }
  return whole;
}
