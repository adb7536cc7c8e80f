/** The JSON Schema of a request, for editors and other validators. */
import { documents, type JsonSchema } from "../generated/documents.gen.ts";
import type { RequestName } from "../generated/requests.gen.ts";
import { rootOf } from "./root.ts";

/**
 * The JSON Schema (2020-12) of what a request sends, with descriptions, ranges
 * and defaults; by default that of `vm.create`, a VM's configuration. Keys that
 * the VMM does not know are no valid ones, so that an editor marks a misspelt
 * one. Bounds of 2^64-1 stand as the number nearest to them. What JSON Schema
 * cannot say, as which values go together, only {@link validate} finds.
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
  const root = rootOf(operation);
  const $defs: Record<string, JsonSchema> = {};
  const reach = (name: string): void => {
    if (name in $defs) return;
    $defs[name] = documents[name]!;
    const text = JSON.stringify(documents[name]);
    for (const [, ref] of text.matchAll(/"#\/\$defs\/(\w+)"/g)) reach(ref!);
  };
  reach(root);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $ref: `#/$defs/${root}`,
    $defs: structuredClone($defs),
  };
}
