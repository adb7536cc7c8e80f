/**
 * Writes wire_keywords.gen.ts: what the fake VMM has to know of the schemas of
 * requests beside the JSON Schemas.
 */
import { schemasOf } from "./write_schemas.ts";
import { constant, header } from "./source.ts";
import type { Schema, Spec } from "../spec.ts";
import type { WireKeywords } from "../../src/generated_support/wire_keywords.ts";

export function wireKeywordsSource(spec: Spec): string {
  const { schemas } = spec.components;
  const names = Object.keys(schemasOf(spec));
  return header("WireKeywords", "wire_keywords.ts") + constant({
    name: "wireKeywords",
    type: "{\n  readonly [schema: string]: WireKeywords | undefined;\n}",
    doc: "The keywords by schema; none for a schema without any.",
    value: record(names.map((name) => [name, keywordsOf(schemas[name]!)])),
  });
}

const KEYWORDS = [
  "format",
  "x-returned",
  "x-since",
  "x-since-values",
  "x-until",
  "x-optional-since",
  "x-null-since",
  "x-old-default",
  "x-feature",
  "x-nonzero",
  "x-alias-of",
] as const;

function keywordsOf(schema: Schema): WireKeywords {
  const { items, properties, additionalProperties } = schema;
  const own = KEYWORDS.filter((key) => schema[key] !== undefined)
    .map((key) => [key, schema[key]]);
  const inner = items === undefined ? {} : keywordsOf(items);
  const members = record(
    Object.entries(properties ?? {})
      .map(([name, property]) => [name, keywordsOf(property)]),
  );
  return {
    ...Object.fromEntries(own),
    ...additionalProperties === false ? { strict: true } : {},
    ...isEmpty(inner) ? {} : { items: inner },
    ...isEmpty(members) ? {} : { properties: members },
  };
}

function record(
  entries: readonly (readonly [string, WireKeywords])[],
): Record<string, WireKeywords> {
  return Object.fromEntries(entries.filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
