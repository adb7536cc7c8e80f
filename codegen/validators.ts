/** Writes validators.gen.ts: the documents, compiled to code by Ajv. */
import { _, type KeywordCxt } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import { type Document, documentsOf } from "./documents.ts";
import { requestsOf } from "./requests.ts";
import type { Spec } from "./spec.ts";

export function validatorsSource(spec: Spec): string {
  const $defs = Object.fromEntries(
    Object.entries(documentsOf(spec))
      .map(([name, document]) => [name, compilable(document)]),
  );
  const ajv = new Ajv2020({
    schemas: [{ $id: "wire", $defs }],
    allErrors: true,
    messages: false,
    useDefaults: true,
    // Each schema is a function of its own, whose name errors tell.
    inlineRefs: false,
    // What several types may be, and what only narrows a type beside it.
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
    code: { source: true, esm: true, lines: true },
    keywords: [
      { keyword: "exact", schemaType: "string", code: exact },
      { keyword: "within", schemaType: "array", code: within },
      { keyword: "shortest", schemaType: "number", code: shortest },
      { keyword: "longest", schemaType: "number", code: longest },
    ],
  });
  const names = [...new Set(Object.values(requestsOf(spec)))];
  const exported = Object.fromEntries(
    names.map((name) => [name, `wire#/$defs/${name}`]),
  );
  const made = standaloneCode(ajv, exported);
  const functions = [...made.matchAll(EXPORT)]
    .map(([, name, made]) => `  ${name}: ${made},`);
  const code = made.replace('"use strict";', "").replace(EXPORT, "");
  if (/\brequire\(|\bimport\b/.test(code)) {
    throw new Error("the compiled schemas need a library at run time");
  }
  return `// @ts-nocheck Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.

/** What a value breaks. */
export interface Breach {
  /** JSON pointer of the value. */
  readonly instancePath: string;
  /** Schema and keyword, as \`wire#/$defs/DiskConfig/required\`. */
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: { readonly [name: string]: unknown };
}

/** Whether a value is what the schema says; fills in defaults, in place. */
export interface Validator {
  (value: unknown): boolean;
  errors?: readonly Breach[] | null;
}

${code}
/** The validators by schema. */
export const validators: { readonly [name: string]: Validator } = {
${functions.join("\n")}
};
`;
}

// A CommonJS module, whose function type checkers see in different places.
const standaloneCode = standalone as unknown as (
  ajv: Ajv2020,
  exported: Record<string, string>,
) => string;

const EXPORT = /^export const (\w+) = (\w+);\n?/gm;

/** A document as it is compiled: no words, and bigints for integers. */
function compilable(document: Document): Record<string, unknown> {
  const { title: _title, description: _said, deprecated: _old, ...rest } =
    document;
  const { type, minimum, maximum, properties, items, anyOf, ...other } = rest;
  const { minLength, maxLength, ...made } = other;
  const types = [type].flat();
  const compiled: Record<string, unknown> = { ...made };
  // Ajv's own need a library at run time, to count code points.
  if (minLength !== undefined) compiled.shortest = minLength;
  if (maxLength !== undefined) compiled.longest = maxLength;
  if (types.includes("integer")) {
    compiled.exact = types.includes("null") ? "or null" : "";
    compiled.within = [String(minimum), String(limit(maximum!))];
  } else if (type !== undefined) compiled.type = type;
  if (properties !== undefined) {
    compiled.properties = Object.fromEntries(
      Object.entries(properties)
        .map(([name, property]) => [name, compilable(property)]),
    );
  }
  if (items !== undefined) compiled.items = compilable(items);
  if (anyOf !== undefined) {
    // So that only what the schema says of it is told, and not "or null".
    const [schema] = anyOf;
    Object.assign(compiled, { if: { type: "null" }, else: schema });
  }
  return compiled;
}

/** The largest integer that is meant by a maximum. */
function limit(maximum: number): bigint {
  const exact = BigInt(maximum);
  return Number.isSafeInteger(maximum) ? exact : exact - 1n;
}

function exact(context: KeywordCxt): void {
  const { data, schema } = context;
  const integer =
    _`typeof ${data} == "bigint" || Number.isSafeInteger(${data})`;
  context.fail(
    schema === "" ? _`!(${integer})` : _`!(${integer} || ${data} === null)`,
  );
}

function within(context: KeywordCxt): void {
  const { gen, data, schema } = context;
  const [low, high] = (schema as [string, string]).map((bound) => {
    const number = Number(bound);
    if (Number.isSafeInteger(number)) return _`${number}`;
    const ref = BigInt(bound);
    return gen.scopeValue("keyword", { ref, code: _`BigInt(${bound})` });
  });
  const number = _`typeof ${data} == "bigint" || typeof ${data} == "number"`;
  context.fail(_`(${number}) && (${data} < ${low!} || ${data} > ${high!})`);
}

function shortest(context: KeywordCxt): void {
  const { data, schema } = context;
  context.fail(_`typeof ${data} == "string" && ${data}.length < ${schema}`);
}

function longest(context: KeywordCxt): void {
  const { data, schema } = context;
  context.fail(_`typeof ${data} == "string" && ${data}.length > ${schema}`);
}
