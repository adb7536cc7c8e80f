/**
 * A spec as facts: what two specs share if they describe the same API. A fact
 * has a value and a place, whose name grows from part to part:
 *
 *     /vm.add-disk PUT 409           ErrorChain   body of an answer
 *     DiskConfig.num_queues          integer      type of a field
 *     DiskConfig.num_queues format   uint64       keyword of a type
 *     NumaConfig.cpus[]              integer      type of an array's items
 *     VmInfo.device_tree{}           DeviceNode   type of a map's values
 *
 * Other spellings of the same make the same facts: a shared answer stands where
 * it is used; a type with null is the type and a keyword; a named schema that
 * only refers to another is that one; its default is that of what refers to it;
 * a minimum of 0 says nothing of an unsigned format. A schema by name differs
 * from the same one in place. Words for people are no facts, nor is `x-`.
 */

export interface Fact {
  value: string;
  /** The facts of the part, by the suffix of the place. */
  parts: Map<string, Fact>;
}

/** An object of YAML or JSON. Integers are bigints. */
export type Data = Record<string, unknown>;

/** The facts of an OpenAPI document, 3.0 or 3.1. */
export function facts(document: Data): Fact {
  const { paths, components, openapi: _, info: __, ...rest } = document;
  const { schemas, responses } = data(components);
  const api = fact("API");
  keywords(api, "API ", rest);
  for (const [path, item] of Object.entries(data(paths))) {
    const { parts } = child(api, path, fact("present"));
    for (const [method, operation] of Object.entries(data(item))) {
      if (isNoFact(method)) continue;
      const made = operationFact(data(operation), data(responses), schemas);
      parts.set(` ${method.toUpperCase()}`, made);
    }
  }
  for (const [name, schema] of Object.entries(data(schemas))) {
    const { default: _, ...own } = target(data(schema), schemas);
    child(api, name, schemaFact(own, schemas));
  }
  return api;
}

function operationFact(
  { requestBody, responses, ...rest }: Data,
  shared: Data,
  schemas: unknown,
): Fact {
  const made = fact("present");
  keywords(made, " ", rest);
  if (requestBody !== undefined) {
    const { content, required } = data(requestBody);
    const body = child(made, " body", contentFact(content, schemas));
    child(body, " required", fact(yes(required)));
  }
  for (const [status, answer] of Object.entries(data(responses))) {
    const { content } = target(data(answer), shared);
    child(made, ` ${status}`, contentFact(content, schemas));
  }
  return made;
}

function contentFact(content: unknown, schemas: unknown): Fact {
  const { "application/json": json, ...others } = data(content);
  const made = json === undefined
    ? fact("empty")
    : schemaFact(data(data(json)["schema"]), schemas);
  for (const type of Object.keys(others)) child(made, ` ${type}`, fact("yes"));
  return made;
}

function schemaFact(schema: Data, schemas: unknown): Fact {
  const {
    $ref,
    type,
    nullable,
    properties,
    required,
    items,
    additionalProperties: values,
    enum: names,
    default: own,
    minimum,
    ...rest
  } = plain(schema);
  const made = fact(String(refName($ref) ?? type ?? "any"));
  if (nullable) child(made, " null", fact("yes"));
  keywords(made, " ", {
    default: own ?? target({ $ref }, schemas)["default"],
    minimum: `${rest["format"]}`.startsWith("uint") && Number(minimum) === 0
      ? undefined
      : minimum,
  });
  for (const name of list(names)) child(made, ` enum ${name}`, fact("yes"));
  for (const [name, field] of Object.entries(data(properties))) {
    const at = child(made, `.${name}`, schemaFact(data(field), schemas));
    child(at, " required", fact(yes(list(required).includes(name))));
  }
  if (items !== undefined) child(made, "[]", schemaFact(data(items), schemas));
  if (values === false) child(made, "{}", fact("refused"));
  if (typeof values === "object") {
    child(made, "{}", schemaFact(data(values), schemas));
  }
  for (const word of ALTERNATIVES) {
    list(rest[word]).forEach((one, index) =>
      child(made, ` ${word} ${index}`, schemaFact(data(one), schemas))
    );
    delete rest[word];
  }
  keywords(made, " ", rest);
  return made;
}

const ALTERNATIVES = ["allOf", "anyOf", "oneOf"];

/** One spelling of null, and of alternatives of which there is one. */
function plain(schema: Data): Data {
  for (const word of ALTERNATIVES) {
    const { [word]: all, ...rest } = schema;
    const some = list(all).filter((one) => data(one)["type"] !== "null");
    if (some.length !== 1) continue;
    const nullable = list(all).length > 1 || schema["nullable"];
    return plain({ ...rest, ...data(some[0]), nullable });
  }
  if (!Array.isArray(schema["type"])) return schema;
  const types = schema["type"].filter((type) => type !== "null");
  const nullable = types.length < schema["type"].length;
  return { ...schema, type: types.join(" or "), nullable };
}

/** Follows a `$ref`; returns other values unchanged. */
function target(from: Data, named: unknown): Data {
  const name = refName(from["$ref"]);
  return name === undefined ? from : data(data(named)[name]);
}

function refName(ref: unknown): string | undefined {
  return typeof ref === "string" ? ref.replace(/^.*\//, "") : undefined;
}

function keywords(made: Fact, before: string, from: Data): void {
  for (const [word, value] of Object.entries(from)) {
    if (value === undefined || isNoFact(word)) continue;
    // Only a default can be a string or something else that reads the same.
    const plainly = typeof value === "string" && word !== "default";
    child(made, before + word, fact(plainly ? value : text(value)));
  }
}

function isNoFact(word: string): boolean {
  return word.startsWith("x-") || WORDS.has(word);
}

/** Keys that are for people, or that do not concern the wire. */
const WORDS = new Set([
  "description",
  "example",
  "examples",
  "externalDocs",
  "operationId",
  "summary",
  "tags",
  "title",
]);

/** JSON, whatever the order of the keys. */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join()}]`;
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${text(v)}`)}}`;
}

function child(parent: Fact, part: string, made: Fact): Fact {
  parent.parts.set(part, made);
  return made;
}

function fact(value: string): Fact {
  return { value, parts: new Map() };
}

function yes(value: unknown): string {
  return value === true ? "yes" : "no";
}

function data(value: unknown): Data {
  return typeof value === "object" && value !== null ? value as Data : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
