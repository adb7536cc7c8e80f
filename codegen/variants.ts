/**
 * Responses of the VMM differ from requests: options come back filled
 * in. Where a schema stands in both, its response variant is `XInfo`.
 */
import {
  children,
  endpoints,
  jsonSchema,
  refName,
  type Schema,
  type Spec,
} from "./spec.ts";

/** A copy of the spec whose responses have the types of what is returned. */
export function withVariants(spec: Spec): Spec {
  const copy = structuredClone(spec);
  const { schemas } = copy.components;
  const sent = new Set<string>();
  const returned = new Set<string>();
  for (const { requestBody, responses } of endpoints(copy)) {
    reach(jsonSchema(requestBody), schemas, sent);
    for (const response of Object.values(responses)) {
      reach(jsonSchema(response), schemas, returned);
    }
  }
  const split = differing(sent, returned, schemas);
  for (const name of returned) {
    const info = toReturned(schemas[name]!, split);
    if (split.has(name)) {
      schemas[`${name}Info`] = {
        ...info,
        description: `${name} as the VMM returns it. ${info.description ?? ""}`,
      };
    } else if (!sent.has(name)) schemas[name] = info;
  }
  for (const { responses } of endpoints(copy)) {
    for (const response of Object.values(responses)) {
      const schema = jsonSchema(response);
      if (schema) Object.assign(schema, toReturned(schema, split));
    }
  }
  return copy;
}

function reach(
  schema: Schema | undefined,
  schemas: Record<string, Schema>,
  seen: Set<string>,
): void {
  if (schema === undefined) return;
  if (schema.$ref !== undefined) {
    const name = refName(schema.$ref);
    if (seen.has(name)) return;
    seen.add(name);
    reach(schemas[name], schemas, seen);
  }
  for (const child of children(schema)) reach(child, schemas, seen);
}

/** Those that stand in both and differ, themselves or in what they hold. */
function differing(
  sent: Set<string>,
  returned: Set<string>,
  schemas: Record<string, Schema>,
): Set<string> {
  const both = [...returned].filter((name) => sent.has(name));
  const split = new Set<string>();
  for (let size = -1; size !== split.size;) {
    size = split.size;
    for (const name of both) {
      const schema = schemas[name]!;
      const text = JSON.stringify(schema);
      if (JSON.stringify(toReturned(schema, split)) !== text) split.add(name);
    }
  }
  return split;
}

function toReturned(schema: Schema, split: Set<string>): Schema {
  const result = { ...schema };
  const inner = (child: Schema): Schema => toReturned(child, split);
  if (schema.$ref !== undefined && split.has(refName(schema.$ref))) {
    result.$ref = `${schema.$ref}Info`;
  }
  if (schema.properties) {
    const kept = Object.entries(schema.properties)
      .filter(([, property]) => property["x-returned"] !== "never");
    result.properties = Object.fromEntries(
      kept.map(([name, property]) => [name, inner(property)]),
    );
    const required = kept.filter(([name, property]) => {
      const rule = property["x-returned"];
      // Another release does not know it.
      if (property["x-since"] ?? property["x-until"]) return false;
      return rule === undefined
        ? schema.required?.includes(name)
        : rule === "always" || rule === "nullable";
    }).map(([name]) => name);
    if (required.length > 0) result.required = required;
  }
  if (schema.items) result.items = inner(schema.items);
  if (typeof schema.additionalProperties === "object") {
    result.additionalProperties = inner(schema.additionalProperties);
  }
  if (schema.oneOf) result.oneOf = schema.oneOf.map(inner);
  if (schema.anyOf) result.anyOf = schema.anyOf.map(inner);
  return result;
}
