/** The JSON Schema of a request, for editors and other validators. */
import { descriptions } from "../generated/descriptions.gen.ts";
import type { RequestName } from "../generated/requests.gen.ts";
import type { JsonSchema } from "../generated_support/json_schema.ts";
import type { VmmRelease } from "../generated_support/release.ts";
import { releaseSchema } from "./release_schema.ts";
import { missingOperation } from "./releases.ts";
import { schemaNameOf } from "./request_schema.ts";

/** Options of {@linkcode jsonSchema}. */
export interface JsonSchemaOptions {
  /**
   * The release of the VMM, such as `v52.0`: the schema has the keys and values
   * of that release only, and requires what that release requires.
   *
   * Default: the newest release.
   */
  readonly release?: VmmRelease | undefined;
}

/**
 * Returns the JSON Schema (2020-12) of a request's body, with descriptions,
 * ranges and defaults. The default is `vm.create`, which takes the
 * configuration of a VM. Keys that the VMM ignores are invalid, so that an
 * editor marks a misspelt key. The bound 2^64-1 is written as 2^64, which is
 * the nearest number. JSON Schema cannot describe which values are valid
 * together: only {@link validate} checks that.
 *
 * @param operation The wire name of the operation, such as `vm.add-disk`.
 * @param options The release of the VMM.
 * @throws {RangeError} if the operation takes no body, if the release does not
 * have the operation, or if `options.release` is no name of a release.
 *
 * @example A schema file for an editor
 * ```ts
 * import { jsonSchema } from "jsr:@chv/cloud-hypervisor/schema";
 *
 * console.log(JSON.stringify(jsonSchema(), null, 2));
 * ```
 */
export function jsonSchema(
  operation: RequestName = "vm.create",
  { release }: JsonSchemaOptions = {},
): JsonSchema {
  const root = schemaNameOf(operation);
  const missing = missingOperation(operation, release);
  if (missing !== undefined) throw new RangeError(missing.message);
  const $defs: Record<string, JsonSchema> = {};
  const reach = (name: string): void => {
    if (name in $defs) return;
    const schema = releaseSchema(name, release);
    $defs[name] = described(name, schema);
    const text = JSON.stringify(schema);
    for (const [, ref] of text.matchAll(/"#\/\$defs\/(\w+)"/g)) reach(ref!);
  };
  reach(root);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $ref: `#/$defs/${root}`,
    $defs,
  };
}

/** A schema with its title and all descriptions. */
function described(name: string, schema: JsonSchema): JsonSchema {
  const { "": own, ...members } = descriptions[name] ?? {};
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, property]) => {
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
