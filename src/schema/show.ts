/** Words for values in messages. None of these functions throws. */

const KINDS: { readonly [type: string]: string } = {
  array: "a list",
  bigint: "an integer",
  boolean: "a boolean",
  integer: "an integer",
  null: "null",
  number: "a number",
  object: "an object",
  string: "a string",
  undefined: "undefined",
};

/** The kind of a value, such as "a list". */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return KINDS[Array.isArray(value) ? "array" : typeof value] ?? typeof value;
}

/** Types of JSON Schema, such as "a list or null". */
export function kindsOf(
  types: readonly (string | undefined)[],
  nullable: boolean,
): string {
  const kinds = types.filter((type) => type !== undefined && type !== "null");
  const names = kinds.map((type) => KINDS[type!] ?? type!);
  return [...names, ...nullable ? ["null"] : []].join(" or ");
}

/** A string in double quotes, shortened if it is long. */
export function show(text: string): string {
  const short = text.length > MAX_LENGTH
    ? `${text.slice(0, MAX_LENGTH)}…`
    : text;
  return JSON.stringify(short);
}

const MAX_LENGTH = 100;
