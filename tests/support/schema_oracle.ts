/** Ajv as the oracle of the library's own walker of schemas. */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { JsonSchema } from "../../src/generated_support/json_schema.ts";
import type { VmmRelease } from "../../src/generated_support/release.ts";
import { requests } from "../../src/generated/requests.gen.ts";
import { missingOperation } from "../../src/schema/releases.ts";
import { jsonSchema, type RequestName } from "../../src/schema/mod.ts";

/** Accepts a value if it has no error; an error is the path of a value. */
export interface Oracle {
  /** The names of the schemas that the requests of the release have. */
  readonly names: readonly string[];
  /** The paths of all errors of a value, as JSON pointers, sorted. */
  errors(schema: string, value: unknown): string[];
}

/** The oracle of a release: `jsonSchema()` of each request. */
export function oracle(release?: VmmRelease): Oracle {
  const all = Object.keys(requests) as RequestName[];
  const $defs = Object.fromEntries(
    all.filter((name) => missingOperation(name, release) === undefined)
      .flatMap((name) => Object.entries(jsonSchema(name, { release }).$defs!))
      .map(([name, schema]) => [name, compilable(schema)]),
  );
  const ajv = new Ajv2020({
    schemas: [{ $id: "wire", $defs }],
    allErrors: true,
    messages: false,
    // Several types in one schema, and keywords that narrow a type beside it.
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
  });
  ajv.addKeyword({
    keyword: "exact",
    schemaType: "boolean",
    validate: (nullable: boolean, value: unknown) =>
      typeof value === "bigint" || Number.isSafeInteger(value) ||
      nullable && value === null,
  });
  ajv.addKeyword({
    keyword: "within",
    schemaType: "array",
    validate: ([low, high]: [string, string], value: unknown) =>
      typeof value !== "bigint" && typeof value !== "number" ||
      value >= BigInt(low) && value <= BigInt(high),
  });
  return {
    names: Object.keys($defs),
    errors(schema, value) {
      const check = ajv.getSchema(`wire#/$defs/${schema}`)!;
      if (check(value)) return [];
      const pointers = (check.errors ?? []).flatMap(pointerOf);
      return [...new Set(pointers)].sort();
    },
  };
}

/** None for a keyword that only contains the error of another one. */
function pointerOf({ keyword, instancePath, params }: ErrorObject): string[] {
  if (keyword === "if") return [];
  const key = params["additionalProperty"] ?? params["missingProperty"];
  if (key === undefined) return [instancePath];
  // Within `not`, a missing property is what the schema wants.
  const escaped = String(key).replaceAll("~", "~0").replaceAll("/", "~1");
  return [`${instancePath}/${escaped}`];
}

/** A schema whose integers may be bigints. */
function compilable(schema: JsonSchema): Record<string, unknown> {
  const { type, minimum, maximum, properties, items, anyOf, ...rest } = schema;
  const types = [type].flat();
  const compiled: Record<string, unknown> = { ...rest };
  delete compiled["default"];
  delete compiled["deprecated"];
  if (types.includes("integer")) {
    const most = BigInt(maximum!);
    const high = Number.isSafeInteger(maximum) ? most : most - 1n;
    compiled["exact"] = types.includes("null");
    compiled["within"] = [String(minimum), String(high)];
  } else if (type !== undefined) compiled["type"] = type;
  if (properties !== undefined) {
    compiled["properties"] = Object.fromEntries(
      Object.entries(properties)
        .map(([name, property]) => [name, compilable(property)]),
    );
  }
  if (items !== undefined) compiled["items"] = compilable(items);
  if (anyOf !== undefined) {
    // So that errors are those of the reference, and not of null too.
    Object.assign(compiled, { if: { type: "null" }, else: anyOf[0] });
  }
  return compiled;
}
