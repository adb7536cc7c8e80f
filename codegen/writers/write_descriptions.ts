/** Writes descriptions.gen.ts: the descriptions of the schemas of requests. */
import { remarks } from "../docstrings.ts";
import { schemasOf } from "./write_schemas.ts";
import { constant, HEADER } from "./source.ts";
import type { Schema, Spec } from "../spec.ts";

/** By schema, then by member; "" is the schema itself. */
type Descriptions = Record<string, Record<string, string>>;

export function descriptionsSource(spec: Spec): string {
  const descriptions: Descriptions = {};
  for (const name of Object.keys(schemasOf(spec))) {
    const schema = spec.components.schemas[name]!;
    const members = { "": schema, ...schema.properties };
    descriptions[name] = Object.fromEntries(
      Object.entries(members).map(([key, member]) => [key, textOf(member)])
        .filter(([, text]) => text !== ""),
    );
  }
  return HEADER + constant({
    name: "descriptions",
    type: "{\n  readonly [schema: string]: " +
      "{ readonly [member: string]: string } | undefined;\n}",
    doc: 'By schema, then by member; "" is the schema itself.',
    value: descriptions,
  });
}

function textOf(schema: Schema): string {
  if (schema.items?.description !== undefined) {
    throw new Error("the items of a list have a description of their own");
  }
  return [schema.description, ...remarks(schema)].filter(Boolean).join(" ");
}
