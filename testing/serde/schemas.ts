/** The schemas of requests with the keywords of the wire. */
import type { JsonSchema } from "../../src/generated_support/json_schema.ts";
import type { WireKeywords } from "../../src/generated_support/wire_keywords.ts";
import { schemas as jsonSchemas } from "../../src/generated/schemas.gen.ts";
import { wireKeywords } from "../../src/generated/wire_keywords.gen.ts";

/** A schema of the spec. */
export interface Schema
  extends
    Omit<JsonSchema, "properties" | "items">,
    Omit<WireKeywords, "properties" | "items"> {
  readonly properties?: { readonly [name: string]: Schema };
  readonly items?: Schema;
}

/** The schemas by name. */
export const schemas: { readonly [name: string]: Schema } = Object.fromEntries(
  Object.entries(jsonSchemas)
    .map(([name, schema]) => [name, merge(schema, wireKeywords[name])]),
);

function merge(schema: JsonSchema, keywords: WireKeywords = {}): Schema {
  const { properties, items, ...rest } = schema;
  const { properties: members, items: inner, ...own } = keywords;
  const merged = { ...rest, ...own };
  if (items !== undefined) return { ...merged, items: merge(items, inner) };
  if (properties === undefined) return merged;
  const entries = Object.entries(properties).map(([name, property]) =>
    [name, merge(property, members?.[name])] as const
  );
  return { ...merged, properties: Object.fromEntries(entries) };
}
