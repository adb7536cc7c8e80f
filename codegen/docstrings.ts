/** Turns the marks of the spec into sentences of docstrings. */
import {
  type Answer,
  type Endpoint,
  jsonSchema,
  refName,
  type Schema,
  type Spec,
} from "./spec.ts";

/** Puts defaults, releases and features into the descriptions, in place. */
export function describe(spec: Spec): void {
  for (const schema of Object.values(spec.components.schemas)) mark(schema);
}

function mark(schema: Schema): void {
  const text = [schema.description, ...remarks(schema)]
    .filter((part) => part !== undefined && part !== "");
  // In words: what Deno and JSR show has no place for most of @default.
  if (schema.default !== undefined) {
    text.push(`Default: \`${JSON.stringify(schema.default)}\`.`);
  }
  if (text.length > 0) schema.description = text.join(" ");
  for (const property of Object.values(schema.properties ?? {})) mark(property);
}

/** The marks of a schema, an operation or a response, as sentences. */
export function remarks(
  marked: Partial<Schema & Endpoint & Answer>,
): string[] {
  const sentences: string[] = [];
  const feature = marked["x-feature"];
  const since = marked["x-since"];
  if (feature) {
    sentences.push(`Only in builds with the feature \`${feature}\`.`);
  }
  if (since) sentences.push(`Since ${since}.`);
  const until = marked["x-until"];
  if (until) sentences.push(`Before ${until} only.`);
  const optional = marked["x-optional-since"];
  if (optional) sentences.push(`Required before ${optional}.`);
  const nullable = marked["x-null-since"];
  if (nullable) sentences.push(`Not null before ${nullable}.`);
  const old = marked["x-old-default"];
  if (old) {
    sentences.push(
      `Default before ${old.until}: \`${JSON.stringify(old.value)}\`.`,
    );
  }
  const arch = marked["x-arch"];
  if (arch) sentences.push(`Only on ${arch}.`);
  for (const [value, from] of Object.entries(marked["x-since-values"] ?? {})) {
    sentences.push(`\`${value}\` since ${from}.`);
  }
  return sentences;
}

/** The docstring of an operation's method. */
export function methodDoc(endpoint: Endpoint): string {
  const deadline = endpoint["x-deadline-ms"];
  return block([
    `${endpoint.summary}.`,
    "",
    [endpoint.description, ...remarks(endpoint)].join(" "),
    "",
    `Works in: ${endpoint["x-states"].join(", ")}. ` +
    `Deadline: ${deadlineText(deadline)}.`,
    "",
    ...RETURNS[endpoint["x-returns"]],
    `@throws {ApiError} ${codes(endpoint)}`,
  ]);
}

/** A deadline as people read it. */
export function deadlineText(ms: number | null): string {
  if (ms === null) return "none";
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

function codes(
  { "x-errors": own, "x-since-errors": since = {} }: Endpoint,
): string {
  if (own.length === 0) return "Only with a code that any call can have.";
  const listed = own.map((code) =>
    `\`${code}\`${since[code] ? ` (since ${since[code]})` : ""}`
  ).join(", ");
  return `With the code ${listed}, or a code that any call can have.`;
}

const RETURNS = {
  data: ["@returns The response of the VMM."],
  maybe: [
    "@returns The id and PCI address of the device, or `undefined` if the VM is not booted.",
  ],
  nothing: [],
};

/** The type of the value to which an operation resolves. */
export function resultType(endpoint: Endpoint): string {
  if (endpoint["x-returns"] === "nothing") return "void";
  const name = refName(jsonSchema(endpoint.responses["200"])!.$ref!);
  return endpoint["x-returns"] === "maybe" ? `${name} | undefined` : name;
}

function block(lines: string[]): string {
  const wrapped = lines.flatMap((line) => wrap(line.replaceAll("*/", "* /")));
  return ["/**", ...wrapped.map((line) => ` * ${line}`.trimEnd()), " */"]
    .join("\n");
}

function wrap(line: string): string[] {
  const lines = [""];
  for (const word of line.split(/\s+/)) {
    const last = lines.at(-1)!;
    if (last !== "" && last.length + word.length > 74) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
