/** Reads request bodies as serde does, by the generated schemas. */
import type { Buffer } from "node:buffer";
import { fromContent, ignore, readContent, unexpected } from "./untyped.ts";
import type { Release } from "../release_type.ts";
import { Reader } from "./reader.ts";
import { SerdeError } from "./scalar.ts";
import type {
  EnumType,
  Field,
  IntegerType,
  StringType,
  StructType,
  Type,
} from "./type.ts";
import { structOf } from "./types.ts";

export { SerdeError };

/**
 * Parses a body, and fills in every default. Options that are null are absent,
 * as they are in a response.
 *
 * @throws {SerdeError} with serde_json's own message.
 */
export function deserialize<T = Record<string, unknown>>(
  release: Release,
  schema: string,
  bytes: Buffer,
): T {
  const reader = new Reader(bytes);
  const value = readStruct(reader, structOf(release, schema));
  reader.end();
  return value as T;
}

function read(reader: Reader, type: Type): unknown {
  switch (type.kind) {
    case "option":
      if (reader.need() !== "n") return read(reader, type.of);
      return reader.scalar().value;
    case "integer":
      return readInteger(reader, type);
    case "string":
      return readString(reader, type);
    case "boolean":
      if (!"tf".includes(reader.need())) throw mismatch(reader, "a boolean");
      return reader.scalar().value;
    case "enum":
      return readEnum(reader, type);
    case "list":
      return readList(reader, type.of);
    case "struct":
      return readStruct(reader, type);
    case "any":
      return readContent(reader);
  }
}

/** Creates the error of a value of another type, at serde_json's place. */
function mismatch(reader: Reader, expected: string): SerdeError {
  const next = reader.need();
  const kind = next === "["
    ? "sequence"
    : next === "{"
    ? "map"
    : unexpected(reader.scalar());
  return reader.at(`invalid type: ${kind}, expected ${expected}`);
}

function readInteger(reader: Reader, type: IntegerType): unknown {
  if (!/[-\d]/.test(reader.need())) throw mismatch(reader, type.name);
  try {
    return fromContent(type, reader.scalar());
  } catch (error) {
    throw reader.place(error);
  }
}

function readString(reader: Reader, type: StringType): unknown {
  if (reader.need() !== '"') throw mismatch(reader, type.expected);
  const text = reader.string();
  const problem = type.check?.(text);
  if (problem === undefined) return type.normalize?.(text) ?? text;
  // Strings are checked after they are read, so that their place is unknown.
  const error = new SerdeError(problem);
  throw type.expected === "a string" ? error : reader.place(error);
}

function readEnum(reader: Reader, type: EnumType): unknown {
  const next = reader.need();
  const wrapped = next === "{";
  if (!wrapped && next !== '"') throw reader.atNext("expected value");
  if (wrapped) reader.skip();
  if (reader.need() !== '"') throw mismatch(reader, "variant identifier");
  let variant: unknown;
  try {
    variant = fromContent(type, { kind: "string", value: reader.string() });
  } catch (error) {
    throw reader.place(error);
  }
  if (!wrapped) return variant;
  reader.colon();
  if (reader.need() !== "n") throw mismatch(reader, "unit");
  reader.scalar();
  if (reader.need("an object") !== "}") throw reader.at("expected value");
  reader.skip();
  return variant;
}

function readList(reader: Reader, of: Type): unknown[] {
  if (reader.need() !== "[") throw mismatch(reader, "a sequence");
  return inside(reader, "]", () => {
    const items: unknown[] = [];
    while (reader.element(items.length === 0)) items.push(read(reader, of));
    return items;
  });
}

function readStruct(reader: Reader, type: StructType): unknown {
  const next = reader.need();
  if (next === "{") return inside(reader, "}", () => fromMap(reader, type));
  if (next === "[" && !type.flat) {
    return inside(reader, "]", () => fromList(reader, type));
  }
  throw mismatch(reader, `struct ${type.name}`);
}

/** Reads between brackets. An error without a place gets the place of the end. */
function inside<T>(reader: Reader, end: "]" | "}", body: () => T): T {
  return reader.nested(() => {
    reader.skip();
    try {
      const value = body();
      reader.skip();
      return value;
    } catch (error) {
      if (error instanceof SerdeError && !error.placed) reader.close(end);
      throw reader.place(error);
    }
  });
}

function fromMap(reader: Reader, type: StructType): unknown {
  const values: Record<string, unknown> = {};
  const inner: (() => void)[] = [];
  const seen = new Set<Field>();
  for (let first = true;; first = false) {
    const key = reader.key(first);
    if (key === undefined) break;
    const field = type.byKey.get(key);
    if (field === undefined && type.strict) throw unknownField(key, type);
    if (field !== undefined && seen.has(field) && !field.flat) {
      throw new SerdeError(`duplicate field \`${field.name}\``);
    }
    reader.colon();
    if (field === undefined) (type.flat ? readContent : ignore)(reader);
    else if (field.flat) {
      // Fields of a flattened struct are converted after all keys are read.
      const content = readContent(reader);
      const twice = seen.has(field);
      inner.push(() => {
        if (twice) throw new SerdeError(`duplicate field \`${field.name}\``);
        values[field.name] = fromContent(field.type, content);
      });
    } else {values[field.name] = withoutDescriptors(
        field,
        read(reader, field.type),
      );}
    if (field !== undefined) seen.add(field);
  }
  requireFields(type, seen, false);
  for (const read of inner) read();
  requireFields(type, seen, true);
  return withDefaults(type, values);
}

function fromList(reader: Reader, type: StructType): unknown {
  const values: Record<string, unknown> = {};
  let ended = false;
  for (const [index, field] of type.fields.entries()) {
    ended ||= !reader.element(index === 0);
    if (!ended) {
      values[field.name] = withoutDescriptors(field, read(reader, field.type));
    } else if (field.required || !field.padded) {
      throw new SerdeError(
        `invalid length ${index}, expected struct ${type.name} with ` +
          `${type.fields.length} element${type.fields.length === 1 ? "" : "s"}`,
      );
    }
  }
  const next = reader.need("a list");
  if (next === ",") {
    reader.skip();
    const trailing = reader.peek() === "]" ? "comma" : "characters";
    throw reader.atNext(`trailing ${trailing}`);
  }
  if (next !== "]") throw reader.atNext("trailing characters");
  return withDefaults(type, values);
}

function requireFields(type: StructType, seen: Set<Field>, flat: boolean) {
  for (const field of type.fields) {
    if (field.required && field.flat === flat && !seen.has(field)) {
      throw new SerdeError(`missing field \`${field.name}\``);
    }
  }
}

/** Returns the keys in the order of the schema, with defaults. */
function withDefaults(type: StructType, values: Record<string, unknown>) {
  const whole: Record<string, unknown> = {};
  for (const { name, fallback } of type.fields) {
    const value = values[name] ?? structuredClone(fallback);
    if (value !== undefined) whole[name] = value;
  }
  return whole;
}

/** Replaces file descriptors by -1: no request can carry them. */
function withoutDescriptors(field: Field, value: unknown): unknown {
  if (!field.descriptor || value === null) return value;
  return Array.isArray(value) ? value.map(() => -1) : -1;
}

function unknownField(key: string, type: StructType): SerdeError {
  const names = type.fields.map(({ name }) => `\`${name}\``);
  const expected = names.length <= 2
    ? names.join(" or ")
    : `one of ${names.join(", ")}`;
  return new SerdeError(`unknown field \`${key}\`, expected ${expected}`);
}
