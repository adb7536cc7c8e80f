/** The spec as the generator sees it: what it reads, no more. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export interface Spec {
  /** The releases of the VMM, oldest first. */
  info: {
    "x-releases": ReleaseEntry[];
    /** The first release that has a code with which any call can end. */
    "x-since-errors"?: Record<string, string>;
  };
  paths: Record<string, Record<string, Operation>>;
  components: {
    responses: Record<string, Answer>;
    schemas: Record<string, Schema>;
  };
  /** The events of the event monitor. */
  "x-events": EventKind[];
}

export interface ReleaseEntry {
  name: string;
  /** The day of its tag. */
  date: string;
  /** `expected`: lies between tested releases. */
  state: "tested" | "expected";
  /** The upstream commit of a release without a tag. */
  commit?: string;
  /** Abilities that it and all older releases lack, beside operations. */
  lacks?: string[];
  /** Facts about it and all older releases. */
  notes?: string[];
}

export interface EventKind {
  source: string;
  event: string;
  "x-since"?: string;
  /** The names of its properties, with what each is. */
  properties?: Record<string, string>;
  description: string;
}

export interface Operation {
  operationId: string;
  summary: string;
  description: string;
  "x-deadline-ms": number | null;
  "x-states": string[];
  /** The second message of each refusal of the operation. */
  "x-failure-message": string;
  /** Codes of `ApiError` that are the operation's own. */
  "x-errors": string[];
  /** The first release that has a code, if not all have it. */
  "x-since-errors"?: Record<string, string>;
  "x-returns": "data" | "maybe" | "nothing";
  "x-may-close"?: boolean;
  "x-feature"?: string;
  "x-since"?: string;
  requestBody?: Content;
  responses: Record<string, Answer>;
}

export interface Answer extends Content {
  $ref?: string;
  description: string;
  "x-since"?: string;
  "x-until"?: string;
}

export interface Content {
  content?: { "application/json": { schema: Schema } };
}

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  default?: unknown;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  deprecated?: boolean;
  "x-nullable"?: boolean;
  "x-returned"?: "always" | "nullable" | "if-set" | "if-true" | "never";
  "x-open"?: "response" | "config";
  "x-js-type"?: "number" | "bigint";
  "x-feature"?: string;
  "x-since"?: string;
  "x-since-values"?: Record<string, string>;
  "x-until"?: string;
  "x-optional-since"?: string;
  "x-null-since"?: string;
  "x-old-default"?: { until: string; value: unknown };
  "x-arch"?: string;
  "x-alias-of"?: string;
  "x-nonzero"?: boolean;
}

/** An operation with where it stands. */
export interface Endpoint extends Operation {
  /** The wire name, such as `vm.add-disk`. */
  name: string;
  /** `GET` or `PUT`. */
  method: string;
}

/**
 * Reads a spec and the `events.yaml` beside it, with the responses that
 * operations share put in their place.
 */
export function readSpec(path: string | URL): Spec {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const events = join(dirname(file), "events.yaml");
  const spec = {
    ...parse(readFileSync(file, "utf8")),
    "x-events": parse(readFileSync(events, "utf8")),
  } as Spec;
  for (const { responses } of endpoints(spec)) {
    for (const [status, { $ref, ...own }] of Object.entries(responses)) {
      if ($ref === undefined) continue;
      const shared = structuredClone(spec.components.responses[refName($ref)]!);
      responses[status] = { ...shared, ...own };
    }
  }
  return spec;
}

export function endpoints(spec: Spec): Endpoint[] {
  return Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: path.slice(1),
      method: method.toUpperCase(),
    }))
  );
}

/** The schema of the JSON in a request or response. */
export function jsonSchema(content: Content | undefined): Schema | undefined {
  return content?.content?.["application/json"].schema;
}

/** `DiskConfig` of `#/components/schemas/DiskConfig`. */
export function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** The schemas that stand directly within a schema. */
export function children(schema: Schema): Schema[] {
  const { items, additionalProperties: more } = schema;
  return [
    ...Object.values(schema.properties ?? {}),
    ...(items ? [items] : []),
    ...(typeof more === "object" ? [more] : []),
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
  ];
}
