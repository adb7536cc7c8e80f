/** Writes documents.gen.ts: the JSON Schema (2020-12) of what requests send. */
import { remarks } from "./docs.ts";
import { requestsOf } from "./requests.ts";
import { refName, type Schema, type Spec } from "./spec.ts";

/** A JSON Schema, as far as the spec needs it. */
export interface Document {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, Document>;
  required?: string[];
  additionalProperties?: boolean;
  items?: Document;
  anyOf?: Document[];
  not?: Document;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  default?: unknown;
  deprecated?: boolean;
}

/** All schemas that a request reaches, by name. */
export function documentsOf(spec: Spec): Record<string, Document> {
  const { schemas } = spec.components;
  const made: Record<string, Document> = {};
  const reach = (name: string): void => {
    if (name in made) return;
    const schema = schemas[name]!;
    made[name] = { title: name };
    Object.assign(made[name], document(schema, schemas));
    for (const [, ref] of JSON.stringify(made[name]).matchAll(REF)) {
      reach(ref!);
    }
  };
  for (const name of Object.values(requestsOf(spec))) reach(name);
  return made;
}

const REF = /"#\/\$defs\/(\w+)"/g;

export function documentsSource(spec: Spec): string {
  const documents = JSON.stringify(documentsOf(spec), null, 2);
  return `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.

/** A JSON Schema of draft 2020-12, as far as requests need it. */
export interface JsonSchema {
  /** The draft; in the outermost schema. */
  readonly $schema?: string;
  /** Where the schema stands: \`#/$defs/<name>\`. */
  readonly $ref?: string;
  /** Schemas by name; in the outermost schema. */
  readonly $defs?: { readonly [name: string]: JsonSchema };
  /** The schema's name. */
  readonly title?: string;
  /** What the value means, with its unit. */
  readonly description?: string;
  /** One or more of JSON's types, \`integer\` among them. */
  readonly type?: string | readonly string[];
  /** The members of an object. */
  readonly properties?: { readonly [name: string]: JsonSchema };
  /** The members that have to be there. */
  readonly required?: readonly string[];
  /** False: the VMM knows no other members. */
  readonly additionalProperties?: boolean;
  /** The items of a list. */
  readonly items?: JsonSchema;
  /** A schema, and null. */
  readonly anyOf?: readonly JsonSchema[];
  /** Members that are two names of one. */
  readonly not?: JsonSchema;
  /** The texts that may stand there. */
  readonly enum?: readonly string[];
  /** The least number. */
  readonly minimum?: number;
  /** The greatest number; 2^64 where 2^64-1 is meant. */
  readonly maximum?: number;
  /** The least characters. */
  readonly minLength?: number;
  /** The most characters. */
  readonly maxLength?: number;
  /** What the VMM takes where nothing is given. */
  readonly default?: unknown;
  /** Another name is to be preferred. */
  readonly deprecated?: boolean;
}

/** The schemas of all that requests send, by name. */
export const documents: { readonly [name: string]: JsonSchema } = ${documents};
`;
}

type Schemas = Readonly<Record<string, Schema>>;

/** A schema of the spec, with no words but the standard's. */
function document(
  schema: Schema,
  schemas: Schemas,
  nullable = false,
): Document {
  const { $ref } = refOf(schema);
  const made: Document = {};
  const said = [schema.description, ...remarks(schema)].filter(Boolean);
  if (said.length > 0) made.description = said.join(" ");
  if ($ref !== undefined) {
    const target = `#/$defs/${refName($ref)}`;
    if (nullable) made.anyOf = [{ $ref: target }, { type: "null" }];
    else made.$ref = target;
  } else Object.assign(made, plain(schema, schemas, nullable));
  if (schema.default !== undefined) made.default = schema.default;
  if (schema.deprecated) made.deprecated = true;
  return made;
}

function plain(schema: Schema, schemas: Schemas, nullable: boolean): Document {
  const kind = [schema.type].flat().find((type) => type !== "null")!;
  const made: Document = { type: nullable ? [kind, "null"] : kind };
  if (kind === "integer") Object.assign(made, range(schema));
  for (const keyword of ["enum", "minLength", "maxLength"] as const) {
    if (schema[keyword] !== undefined) {
      Object.assign(made, { [keyword]: schema[keyword] });
    }
  }
  if (schema.items) made.items = document(schema.items, schemas);
  if (schema.properties) Object.assign(made, members(schema, schemas));
  return made;
}

function members(schema: Schema, schemas: Schemas): Document {
  const { properties = {}, required = [] } = schema;
  const made: Document = { properties: {}, additionalProperties: false };
  if (required.length > 0) made.required = required;
  for (const [name, property] of Object.entries(properties)) {
    const optional = !required.includes(name) &&
      fallback(property, schemas) === undefined;
    const nullable = property["x-nullable"] ?? optional;
    made.properties![name] = document(property, schemas, nullable);
    const real = property["x-alias-of"];
    // A key and its alias are one field to the VMM, which refuses it twice.
    if (real !== undefined) alias(made, [name, real]);
  }
  return made;
}

function alias(made: Document, names: string[]): void {
  const both: Document = { required: names };
  made.not = made.not === undefined
    ? both
    : { anyOf: [...made.not.anyOf ?? [made.not], both] };
}

function fallback(property: Schema, schemas: Schemas): unknown {
  const { $ref } = refOf(property);
  return property.default ??
    ($ref && fallback(schemas[refName($ref)]!, schemas));
}

function refOf({ $ref, anyOf }: Schema): Schema {
  return $ref ? { $ref } : anyOf?.find(({ $ref }) => $ref) ?? {};
}

function range({ format = "int64", minimum, maximum }: Schema): Document {
  const [, sign, bits] = /^(u?)int(\d+)$/.exec(format)!;
  const size = 2 ** (Number(bits) - (sign ? 0 : 1));
  return {
    minimum: minimum ?? (sign ? 0 : -size),
    // 2^64-1 has no number of its own.
    maximum: maximum ?? (size > Number.MAX_SAFE_INTEGER ? size : size - 1),
  };
}
