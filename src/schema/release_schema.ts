/** The schemas of requests as a release of the VMM has them. */
import { schemas } from "../generated/schemas.gen.ts";
import type { JsonSchema } from "../generated_support/json_schema.ts";
import type { VmmRelease } from "../generated_support/release.ts";
import {
  acceptsNull,
  aliasesOf,
  hasValue,
  lackOf,
  oldDefaultOf,
  requiredBy,
} from "./releases.ts";

/** A schema by its name, without what the release does not have. */
export function releaseSchema(
  name: string,
  release: VmmRelease | undefined,
): JsonSchema {
  const schema = structuredClone(schemas[name]!);
  const values = schema.enum?.filter((one) => hasValue(name, one, release));
  const own = values === undefined ? schema : { ...schema, enum: values };
  if (schema.properties === undefined) return own;
  const { required: all, not, ...rest } = own;
  const properties = Object.entries(schema.properties)
    .filter(([key]) => lackOf(name, key, release) === undefined)
    .map(([key, property]) => [key, memberOf(name, key, property, release)]);
  const required = requiredBy(name, all ?? [], release);
  const aliases = aliasesOf(name, not, release);
  return {
    ...rest,
    properties: Object.fromEntries(properties),
    ...required.length === 0 ? {} : { required },
    ...aliases.length === 0
      ? {}
      : { not: aliases.length === 1 ? aliases[0]! : { anyOf: aliases } },
  };
}

/** A property, with the default of the release, and null if it accepts null. */
function memberOf(
  name: string,
  key: string,
  property: JsonSchema,
  release: VmmRelease | undefined,
): JsonSchema {
  const old = oldDefaultOf(name, key, release);
  const own = old === undefined ? property : { ...property, default: old };
  if (acceptsNull(name, key, release)) return own;
  const { anyOf, type, ...rest } = own;
  if (anyOf !== undefined) return { ...rest, ...anyOf[0]! };
  const [kind] = [type].flat().filter((one) => one !== "null");
  return { ...rest, type: kind! };
}
