/** Removes what releases before v53.0 write for values that are not set. */
import { nullableKeys } from "../generated/api.gen.ts";

/** Deletes each null from data, in place, where its type has no null. */
export function withoutNulls(data: unknown): unknown {
  if (typeof data !== "object" || data === null) return data;
  for (const [key, value] of Object.entries(data)) {
    if (value !== null) withoutNulls(value);
    else if (!nullableKeys.includes(key)) Reflect.deleteProperty(data, key);
  }
  return data;
}
