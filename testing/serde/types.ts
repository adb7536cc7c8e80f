/** Compiles the generated schemas to the types of a release. */
import { type Schema, schemas } from "./schemas.ts";
import { DESCRIPTORS } from "../../src/schema/config.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import type { Release } from "../release_type.ts";
import {
  flattened,
  forms,
  paths,
  structs,
  unpadded,
  words,
} from "./rust_names.ts";
import type {
  Field,
  IntegerType,
  StringType,
  StructType,
  Type,
} from "./type.ts";

const known = new Map<Release, Map<string, StructType>>();

/** Returns the struct of a schema in a release. */
export function structOf(release: Release, schema: string): StructType {
  let structs = known.get(release);
  if (structs === undefined) known.set(release, structs = new Map());
  let type = structs.get(schema);
  if (type === undefined) {
    const other = refOf(schemas[schema]!);
    type = other === undefined
      ? compile(release, schema, schemas[schema]!)
      : structOf(release, other);
    structs.set(schema, type);
  }
  return type;
}

function compile(
  release: Release,
  schema: string,
  { properties = {}, required = [], strict = false }: Schema,
): StructType {
  const present = Object.entries(properties).filter(([, property]) =>
    exists(release, property)
  );
  const names = present.map(([name]) => name);
  const flat = release.flattens ? flattened(schema, names) : [];
  const fields: Field[] = [];
  const byKey = new Map<string, Field>();
  // The older name of a field is an alias only where the newer name exists.
  const isAlias = ({ "x-alias-of": real }: Schema): boolean =>
    names.includes(String(real));
  for (const [name, property] of present) {
    if (isAlias(property)) continue;
    const type = typeOf(release, schema, name, property);
    const returned = String(property["x-returned"] ?? "if-set");
    const unset = returned === "nullable" ? null : undefined;
    const old = oldDefault(release, property);
    const field: Field = {
      name,
      type,
      required: required.includes(name) && old === undefined ||
        wasRequired(release, property),
      fallback: old ??
        (type.kind === "option"
          ? unset
          : complete(type, property.default ?? resolve(property).default)),
      flat: flat.includes(name),
      padded: !(unpadded[schema] ?? []).includes(name),
      descriptor: DESCRIPTORS.includes(name),
      returned,
    };
    fields.push(field);
    byKey.set(name, field);
  }
  for (const [name, property] of present) {
    const real = String(property["x-alias-of"]);
    if (isAlias(property)) byKey.set(name, byKey.get(real)!);
  }
  return {
    kind: "struct",
    name: structs[schema] ?? schema,
    fields,
    byKey,
    strict,
    flat: flat.length > 0,
  };
}

function exists(release: Release, property: Schema): boolean {
  const { "x-since": since, "x-until": until, "x-feature": feature } = property;
  return (since === undefined || hasSince(release.name, since)) &&
    (until === undefined || !hasSince(release.name, until)) &&
    (feature === undefined || release.features.includes(feature));
}

/** True if the release requires a property that newer ones do not. */
function wasRequired(release: Release, property: Schema): boolean {
  const since = property["x-optional-since"];
  return since !== undefined && !hasSince(release.name, since);
}

/** The default of a release that has another than the newest. */
function oldDefault(release: Release, property: Schema): unknown {
  const old = property["x-old-default"];
  return old && !hasSince(release.name, old.until) ? old.value : undefined;
}

/** The type of a property. Optional properties without a default take null. */
function typeOf(
  release: Release,
  schema: string,
  name: string,
  property: Schema,
): Type {
  const target = resolve(property);
  const type = plain(release, schema, name, target, refOf(property));
  const since = property["x-null-since"];
  if (since !== undefined && !hasSince(release.name, since)) return type;
  const nullable = property.anyOf !== undefined ||
    [property.type].flat().includes("null");
  return nullable ? { kind: "option", of: type } : type;
}

function plain(
  release: Release,
  schema: string,
  name: string,
  property: Schema,
  ref: string | undefined,
): Type {
  if (property.enum !== undefined) {
    const since = property["x-since-values"] ?? {};
    const variants = property.enum.filter((value) =>
      since[value] === undefined || hasSince(release.name, since[value])
    );
    return { kind: "enum", variants };
  }
  switch (kindOf(property)) {
    case "object":
      return ref === undefined ? { kind: "any" } : structOf(release, ref);
    case "array": {
      const items = property.items ?? {};
      const target = resolve(items);
      return {
        kind: "list",
        of: plain(release, schema, name, target, refOf(items)),
      };
    }
    case "boolean":
      return { kind: "boolean" };
    case "integer":
      return integer(schema, name, property);
    case "string":
      return string(schema, name);
  }
  return { kind: "any" };
}

function string(schema: string, name: string): StringType {
  const path = paths[schema]?.includes(name);
  const form = schema === "NetConfig" ? forms[name] : undefined;
  return {
    kind: "string",
    expected: path ? "path string" : form?.expected ?? "a string",
    check: form?.check,
    normalize: form?.normalize,
  };
}

function integer(schema: string, name: string, property: Schema): IntegerType {
  const [, sign, bits] = /^(u?)int(\d+)$/.exec(property.format ?? "int64")!;
  const size = BigInt(bits!);
  const unsigned = sign === "u";
  const nonzero = property["x-nonzero"] === true;
  const word = words[schema]?.includes(name);
  const rust = word ? "usize" : `${unsigned ? "u" : "i"}${bits}`;
  return {
    kind: "integer",
    name: nonzero ? `a nonzero ${rust}` : rust,
    min: unsigned ? 0n : -(2n ** (size - 1n)),
    max: 2n ** (unsigned ? size : size - 1n) - 1n,
    nonzero,
  };
}

/** The name of the schema that a property refers to, also if null is allowed. */
function refOf(property: Schema): string | undefined {
  const ref = property.$ref ??
    property.anyOf?.find(({ $ref }) => $ref !== undefined)?.$ref;
  return ref?.slice(ref.lastIndexOf("/") + 1);
}

function resolve(property: Schema): Schema {
  const ref = refOf(property);
  return ref === undefined ? property : resolve(schemas[ref]!);
}

function kindOf({ type }: Schema): string | undefined {
  return typeof type === "string" ? type : type?.find((it) => it !== "null");
}

/** Returns a value with the defaults of all that is missing. */
export function complete(type: Type, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (type.kind === "list") {
    return (value as unknown[]).map((item) => complete(type.of, item));
  }
  if (type.kind === "option") return complete(type.of, value);
  if (type.kind !== "struct") return value;
  const given = value as Record<string, unknown>;
  const whole: Record<string, unknown> = {};
  for (const field of type.fields) {
    const item = complete(field.type, given[field.name]) ??
      structuredClone(field.fallback);
    if (item !== undefined) whole[field.name] = item;
  }
  return whole;
}
