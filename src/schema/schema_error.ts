/** What the compiled schema found, in words. */
import { documents, type JsonSchema } from "../generated/documents.gen.ts";
import type { Breach } from "../generated/validators.gen.ts";
import { nearest } from "./nearest.ts";
import { pathOf, type Step } from "../json/path.ts";
import type { Problem, ProblemCode } from "./problem.ts";

/** The problems that breaches of a schema are; the first of a value counts. */
export function problemsOf(
  breaches: readonly Breach[],
  schema: string,
  body: unknown,
): Problem[] {
  const problems = new Map<string, Problem>();
  for (const breach of breaches) {
    const tell = WORDS[breach.keyword];
    if (tell === undefined) continue;
    const found = locate(breach, schema, body);
    const { key, ...problem } = tell(found);
    const steps = key === undefined ? found.steps : [...found.steps, key];
    const path = pathOf(steps);
    if (!problems.has(path)) problems.set(path, { path, ...problem });
  }
  return [...problems.values()];
}

/** A value, what it has to be, and what of that it is not. */
interface Found {
  readonly steps: readonly Step[];
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly params: Breach["params"];
}

interface Words extends Omit<Problem, "path"> {
  /** The key within the value that it is about. */
  readonly key?: string;
}

const WORDS: { readonly [keyword: string]: (found: Found) => Words } = {
  additionalProperties({ schema, params }) {
    const key = String(params.additionalProperty);
    const meant = nearest(key, Object.keys(schema.properties ?? {}));
    return {
      key,
      ...words("unknown_key", `${schema.title} has no such key`, meant),
    };
  },
  required({ params }) {
    return {
      key: String(params.missingProperty),
      ...words("missing", "is missing"),
    };
  },
  type({ schema, value }) {
    return words("wrong_type", `must be ${kinds(schema)}, not ${kind(value)}`);
  },
  exact({ value }) {
    const large = typeof value === "number" && Number.isInteger(value);
    const message = large
      ? `${value} is no exact integer: write it as a bigint`
      : `must be an integer, not ${
        typeof value === "number" ? value : kind(value)
      }`;
    return words("wrong_type", message);
  },
  within({ schema: { minimum, maximum }, value }) {
    const most = Number.isSafeInteger(maximum)
      ? maximum
      : BigInt(maximum!) - 1n;
    const message = `must be ${minimum} to ${most}, not ${value}`;
    return words("out_of_range", message);
  },
  shortest({ schema: { minLength } }) {
    return words("out_of_range", `must have ${minLength} characters or more`);
  },
  longest({ schema: { maxLength } }) {
    return words("out_of_range", `must have ${maxLength} characters at most`);
  },
  enum({ schema, value }) {
    const listed = schema.enum ?? [];
    const all = listed.map((text) => JSON.stringify(text)).join(", ");
    const given = JSON.stringify(value);
    const meant = nearest(String(value), listed);
    return words("not_listed", `must be one of ${all}, not ${given}`, meant);
  },
  not({ schema, value }) {
    const pairs = schema.not?.anyOf ?? [schema.not!];
    const names = pairs.map(({ required = [] }) => required)
      .find((names) => names.every((name) => name in (value as object)))!;
    return words("broken_rule", `${names.join(" and ")} are one field`);
  },
};

function words(code: ProblemCode, message: string, suggestion?: string): Words {
  return suggestion === undefined ? { code, message } : {
    code,
    message: `${message}; did you mean ${JSON.stringify(suggestion)}?`,
    suggestion,
  };
}

/** Follows a pointer through the body and its schema at once. */
function locate(
  { instancePath, params }: Breach,
  root: string,
  body: unknown,
): Found {
  const steps: Step[] = [];
  let schema = resolve({ $ref: root });
  let value = body;
  for (const part of instancePath.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    steps.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown>)[key];
    schema = resolve(schema.items ?? schema.properties![key]!);
  }
  return { steps, schema, value, params };
}

/** The schema that a reference leads to, null or not. */
function resolve(schema: JsonSchema): JsonSchema {
  const { $ref } = schema.anyOf?.[0] ?? schema;
  return $ref === undefined
    ? schema
    : resolve(documents[$ref.slice($ref.lastIndexOf("/") + 1)]!);
}

const ARTICLES: { readonly [kind: string]: string } = {
  array: "a list",
  bigint: "an integer",
  boolean: "a boolean",
  number: "a number",
  object: "an object",
  string: "a string",
};

function kinds({ type = [] }: JsonSchema): string {
  return [type].flat().map((type) => ARTICLES[type] ?? type).join(" or ");
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return ARTICLES[Array.isArray(value) ? "array" : typeof value]!;
}
