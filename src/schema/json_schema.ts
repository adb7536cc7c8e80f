/** The JSON Schema of a request, for editors and other validators. */
import { descriptions } from "../generated/descriptions.gen.ts";
import type { RequestName } from "../generated/requests.gen.ts";
import type { JsonSchema } from "../generated_support/json_schema.ts";
import { schemas } from "../generated/schemas.gen.ts";
import { lackOf } from "./releases.ts";
import { schemaNameOf } from "./request_schema.ts";

/**
 * Returns the JSON Schema (2020-12) of a request's body, with descriptions,
 * ranges and defaults. The default is `vm.create`, which takes the
 * configuration of a VM. Keys that the VMM ignores are invalid, so that an
 * editor marks a misspelt key. The bound 2^64-1 is written as 2^64, which is
 * the nearest number. JSON Schema cannot describe which values are valid
 * together: only {@link validate} checks that.
 *
 * @throws {RangeError} if the operation takes no body.
 *
 * @example A schema file for an editor
 * ```ts
 * import { jsonSchema } from "jsr:@chv/cloud-hypervisor/schema";
 *
 * console.log(JSON.stringify(jsonSchema(), null, 2));
 * ```
 */
export function jsonSchema(operation: RequestName = "vm.create"): JsonSchema {
  const root = schemaNameOf(operation);
  const $defs: Record<string, JsonSchema> = {};
  const reach = (name: string): void => {
    if (name in $defs) return;
    $defs[name] = described(name);
    const text = JSON.stringify(schemas[name]);
    for (const [, ref] of text.matchAll(/"#\/\$defs\/(\w+)"/g)) reach(ref!);
  };
  reach(root);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $ref: `#/$defs/${root}`,
    $defs,
  };
}

/** A copy of a schema, with its title and all descriptions. */
function described(name: string): JsonSchema {
  const { "": own, ...members } = descriptions[name] ?? {};
  const schema = structuredClone(schemas[name]!);
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).filter(([key]) =>
      lackOf(name, key, undefined) === undefined
    ).map(([key, property]) => {
      const description = members[key];
      return [key, description ? { description, ...property } : property];
    }),
  );
  return {
    title: name,
    ...own === undefined ? {} : { description: own },
    ...schema,
    ...schema.properties === undefined ? {} : { properties },
  };
}
