/** Follows the references between the schemas of requests. */
import type { JsonSchema } from "../generated_support/json_schema.ts";
import { schemas } from "../generated/schemas.gen.ts";

/** A schema without its reference; `nullable` where null is accepted too. */
export interface Resolved {
  readonly schema: JsonSchema;
  /** The name of the schema, if the schema has one. */
  readonly name: string | undefined;
  readonly nullable: boolean;
}

export function resolve(schema: JsonSchema): Resolved {
  const { $ref } = schema.anyOf?.[0] ?? schema;
  const nullable = schema.anyOf !== undefined ||
    [schema.type].flat().includes("null");
  if ($ref === undefined) return { schema, name: undefined, nullable };
  return { ...resolveName($ref.slice($ref.lastIndexOf("/") + 1)), nullable };
}

/** A schema by its name. */
export function resolveName(name: string): Resolved {
  const schema = schemas[name]!;
  const target = resolve(schema);
  return target.name === undefined ? { ...target, name } : target;
}
