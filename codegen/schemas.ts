/** Writes schemas.gen.ts: the schemas as data, for whoever parses as the VMM. */
import type { Spec } from "./spec.ts";

export function schemasSource(spec: Spec): string {
  const schemas = JSON.stringify(spec.components.schemas, terse, 2);
  return `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.

/** A schema of the spec, less its description; the \`x-\` keywords stay. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

/** The schemas by name. */
export const schemas: { readonly [name: string]: Schema } = ${schemas};
`;
}

function terse(key: string, value: unknown): unknown {
  return key === "description" && typeof value === "string" ? undefined : value;
}
