/**
 * Writes schemas.gen.ts: the JSON Schemas (2020-12) of requests, without their
 * descriptions.
 */
import type { JsonSchema } from "../../src/generated_support/json_schema.ts";
import { requestsOf } from "./write_requests.ts";
import { refName, type Schema, type Spec } from "../spec.ts";
import { constant, header } from "./source.ts";

type Writable<T> = { -readonly [key in keyof T]: T[key] };
type Draft = Writable<JsonSchema>;

/** Every schema that a request reaches, by name. */
export function schemasOf(spec: Spec): Record<string, JsonSchema> {
  const { schemas } = spec.components;
  const drafts: Record<string, JsonSchema> = {};
  const reach = (name: string): void => {
    if (name in drafts) return;
    drafts[name] = draftOf(schemas[name]!, schemas);
    for (const [, ref] of JSON.stringify(drafts[name]).matchAll(REF)) {
      reach(ref!);
    }
  };
  for (const name of Object.values(requestsOf(spec))) reach(name);
  return drafts;
}

const REF = /"#\/\$defs\/(\w+)"/g;

export function schemasSource(spec: Spec): string {
  return header("JsonSchema", "json_schema.ts") + constant({
    name: "schemas",
    type: "{ readonly [name: string]: JsonSchema }",
    doc: "The schemas of all requests, by name.",
    value: schemasOf(spec),
  });
}

type Schemas = Readonly<Record<string, Schema>>;

/** A schema of the spec, with the keywords of JSON Schema only. */
function draftOf(schema: Schema, schemas: Schemas, nullable = false): Draft {
  const { $ref } = refOf(schema);
  const draft: Draft = {};
  if ($ref !== undefined) {
    const target = `#/$defs/${refName($ref)}`;
    if (nullable) draft.anyOf = [{ $ref: target }, { type: "null" }];
    else draft.$ref = target;
  } else Object.assign(draft, typed(schema, schemas, nullable));
  if (schema.default !== undefined) draft.default = schema.default;
  if (schema.deprecated) draft.deprecated = true;
  return draft;
}

function typed(schema: Schema, schemas: Schemas, nullable: boolean): Draft {
  const kind = [schema.type].flat().find((type) => type !== "null")!;
  const draft: Draft = { type: nullable ? [kind, "null"] : kind };
  if (kind === "integer") Object.assign(draft, range(schema));
  for (const keyword of ["enum", "minLength", "maxLength"] as const) {
    if (schema[keyword] !== undefined) {
      Object.assign(draft, { [keyword]: schema[keyword] });
    }
  }
  if (schema.items) draft.items = draftOf(schema.items, schemas);
  if (kind === "object") Object.assign(draft, members(schema, schemas));
  return draft;
}

function members(schema: Schema, schemas: Schemas): Draft {
  const { properties = {}, required = [] } = schema;
  const drafts: Record<string, JsonSchema> = {};
  const draft: Draft = { properties: drafts, additionalProperties: false };
  if (required.length > 0) draft.required = required;
  for (const [name, property] of Object.entries(properties)) {
    const optional = !required.includes(name) &&
      defaultOf(property, schemas) === undefined;
    const nullable = property["x-nullable"] ?? optional;
    drafts[name] = draftOf(property, schemas, nullable);
    const real = property["x-alias-of"];
    // A key and its alias are one field to the VMM, which refuses it twice.
    if (real !== undefined) forbidBoth(draft, [name, real]);
  }
  return draft;
}

function forbidBoth(draft: Draft, names: string[]): void {
  const both: JsonSchema = { required: names };
  draft.not = draft.not === undefined
    ? both
    : { anyOf: [...draft.not.anyOf ?? [draft.not], both] };
}

function defaultOf(property: Schema, schemas: Schemas): unknown {
  const { $ref } = refOf(property);
  return property.default ??
    ($ref && defaultOf(schemas[refName($ref)]!, schemas));
}

function refOf({ $ref, anyOf }: Schema): Schema {
  return $ref ? { $ref } : anyOf?.find(({ $ref }) => $ref) ?? {};
}

function range({ format = "int64", minimum, maximum }: Schema): Draft {
  const [, unsigned, bits] = /^(u?)int(\d+)$/.exec(format)!;
  const size = 2 ** (Number(bits) - (unsigned ? 0 : 1));
  return {
    minimum: minimum ?? (unsigned ? 0 : -size),
    // No number is exactly 2^64-1.
    maximum: maximum ?? (size > Number.MAX_SAFE_INTEGER ? size : size - 1),
  };
}
