/** Values that are read before their type is known. */
import { fromFloat } from "./float.ts";
import type { Reader } from "./reader.ts";
import { type Scalar, SerdeError } from "./scalar.ts";
import type { Type } from "./type.ts";

/** A value of unknown type. */
export type Content =
  | Scalar
  | { readonly kind: "sequence" | "map" };

/** Reads any value. Of sequences and maps only the kind is kept. */
export function readContent(reader: Reader): Content {
  const next = reader.need();
  if (next !== "[" && next !== "{") return reader.scalar();
  return reader.nested(() => skipOver(reader, next, readContent));
}

/** Skips any value, without a limit of depth. */
export function ignore(reader: Reader): Content {
  const next = reader.need();
  if (next !== "[" && next !== "{") return reader.scalar();
  return skipOver(reader, next, ignore);
}

function skipOver(
  reader: Reader,
  bracket: "[" | "{",
  read: (reader: Reader) => Content,
): Content {
  reader.skip();
  if (bracket === "[") {
    for (let first = true; reader.element(first); first = false) read(reader);
  } else {
    for (let first = true; reader.key(first) !== undefined; first = false) {
      reader.colon();
      read(reader);
    }
  }
  reader.skip();
  return { kind: bracket === "[" ? "sequence" : "map" };
}

/**
 * Converts a value to its type.
 *
 * @throws {SerdeError} without a place, if the value has another type.
 */
export function fromContent(type: Type, content: Content): unknown {
  if (type.kind === "option") {
    return content.kind === "null" ? null : fromContent(type.of, content);
  }
  if (type.kind === "enum") {
    if (content.kind !== "string") throw wrong(content, "string or map");
    const { variants } = type;
    if (variants.includes(content.value as string)) return content.value;
    throw new SerdeError(
      `unknown variant \`${content.value}\`, expected ${oneOf(variants)}`,
    );
  }
  if (type.kind === "boolean") {
    if (content.kind !== "boolean") throw wrong(content, "a boolean");
    return content.value;
  }
  if (type.kind === "string") {
    if (content.kind !== "string") throw wrong(content, type.expected);
    return content.value;
  }
  if (type.kind !== "integer") throw new TypeError(`no scalar: ${type.kind}`);
  if (content.kind !== "integer") throw wrong(content, type.name);
  const exact = BigInt(content.value as number | bigint);
  if (exact >= type.min && exact <= type.max && !(type.nonzero && !exact)) {
    return content.value;
  }
  throw new SerdeError(
    `invalid value: integer \`${exact}\`, expected ${type.name}`,
  );
}

function wrong(content: Content, expected: string): SerdeError {
  return new SerdeError(
    `invalid type: ${unexpected(content)}, expected ${expected}`,
  );
}

/** Describes a value in the words of serde_json. */
export function unexpected(content: Content): string {
  switch (content.kind) {
    case "integer":
      return `integer \`${content.value}\``;
    case "float":
      return `floating point \`${fromFloat(content.value as number)}\``;
    case "boolean":
      return `boolean \`${content.value}\``;
    case "string":
      return `string ${JSON.stringify(content.value)}`;
  }
  return content.kind;
}

function oneOf(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length <= 2
    ? quoted.join(" or ")
    : `one of ${quoted.join(", ")}`;
}
