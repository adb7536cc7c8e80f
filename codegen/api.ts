/**
 * Writes api.gen.ts: the classes behind `client.vm` and `client.vmm`, and the
 * table of operations that the client and the fake VMM go by.
 */
import { methodDoc, resultType } from "./docs.ts";
import {
  type Endpoint,
  endpoints,
  jsonSchema,
  refName,
  type Spec,
} from "./spec.ts";

export function apiSource(spec: Spec): string {
  const all = endpoints(spec);
  const groups = Map.groupBy(all, ({ operationId }) => group(operationId));
  return [
    HEADER,
    `import type {\n${
      typesOf(all).map((name) => `  ${name},\n`).join("")
    }} from "./types.gen.ts";`,
    apiSpecSource(spec),
    CONTRACT,
    `/** The operations by their wire names, as the path spells them. */
export type OperationName =\n${
      all.map(({ name }) => `  | "${name}"`).join("\n")
    };`,
    `/** Every operation of the API. */
export const operations: {
  readonly [name in OperationName]: OperationRow;
} = {\n${all.map(row).join("\n")}\n};`,
    ...[...groups].map(([name, members]) => classSource(name, members)),
    facade([...groups.keys()]),
  ].join("\n\n") + "\n";
}

function group(operationId: string): string {
  return operationId.slice(0, operationId.indexOf("."));
}

function className(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}Api`;
}

function bodyType({ requestBody }: Endpoint): string | undefined {
  const ref = jsonSchema(requestBody)?.$ref;
  return ref && refName(ref);
}

function typesOf(all: Endpoint[]): string[] {
  const names = all.flatMap((endpoint) => [
    bodyType(endpoint),
    resultType(endpoint).split(" ")[0],
  ]);
  return [...new Set(names)]
    .filter((name) => name !== undefined && name !== "void")
    .sort() as string[];
}

function row(endpoint: Endpoint): string {
  const { name, operationId, method } = endpoint;
  const values = [
    `"${name}"`,
    `"${operationId}"`,
    `"${method}"`,
    endpoint["x-deadline-ms"] ?? "Infinity",
    endpoint.requestBody !== undefined,
    `"${endpoint["x-returns"]}"`,
    ...(resultType(endpoint) === "VmCounters" ? ["{ bigint: true }"] : []),
    ...(endpoint["x-may-close"] ? ["{ mayClose: true }"] : []),
  ];
  return `  "${name}": row(${values.join(", ")}),`;
}

function classSource(name: string, members: Endpoint[]): string {
  return `/**
 * The operations \`${name}.*\`. Besides the codes of its own, any call can
 * reject with an {@linkcode ApiError} of code \`other\`, \`migrating\`,
 * \`overloaded\`, \`too_large\` or \`vmm_gone\`, with a
 * {@linkcode ConnectionError}, {@linkcode DeadlineError} or
 * {@linkcode InvalidRequestError}, or with the reason of its signal.
 */
export class ${className(name)} {
  readonly #call: Call;

  /** Made by \`createClient\`. */
  constructor(call: Call) {
    this.#call = call;
  }

${members.map(methodSource).join("\n\n")}
}`;
}

function methodSource(endpoint: Endpoint): string {
  const { name, operationId } = endpoint;
  const method = operationId.slice(operationId.indexOf(".") + 1);
  const body = bodyType(endpoint);
  const result = resultType(endpoint);
  const parameters = [
    ...(body ? [`body: ${body}`] : []),
    "options?: CallOptions",
  ].join(", ");
  const handed = `operations["${name}"], ${
    body ? "body" : "undefined"
  }, options`;
  return `${indent(methodDoc(endpoint))}
  ${method}(${parameters}): Promise<${result}> {
    return this.#call(${handed}) as Promise<${result}>;
  }`;
}

function facade(names: string[]): string {
  return `/** All operations, grouped as their paths are. */
export class Api {
${
    names.map((name) =>
      `  /** The operations \`${name}.*\`. */\n  readonly ${name}: ${
        className(name)
      };`
    ).join("\n")
  }

  /** Made by \`createClient\`. */
  constructor(call: Call) {
${
    names.map((name) => `    this.${name} = new ${className(name)}(call);`)
      .join("\n")
  }
  }
}`;
}

function apiSpecSource({ info }: Spec): string {
  const { oldest, newest, commit } = info["x-releases"];
  return `/** Which VMM releases the types describe. */
export interface ApiSpec {
  /** The oldest release that the client is tested with. */
  readonly oldest: string;
  /** The newest; what only it has is marked in the docstrings. */
  readonly newest: string;
  /** The upstream commit that \`newest\` stands for. */
  readonly commit: string;
}

/** Which VMM releases the types describe; \`vmm.ping\` tells the VMM's own. */
export const apiSpec: ApiSpec = {
  oldest: "${oldest}",
  newest: "${newest}",
  commit: "${commit}",
};`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

const HEADER = `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.`;

const CONTRACT = `/** What every method takes last. */
export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's own reason. */
  signal?: AbortSignal;
  /**
   * The deadline in milliseconds, from the call on; \`Infinity\` is none.
   *
   * Default: the operation's own, or what \`createClient\` was given.
   */
  timeoutMs?: number;
}

/** What the client knows of an operation. */
export interface OperationRow {
  /** The wire name, as \`vm.add-disk\`. */
  readonly name: OperationName;
  /** The name in camel case, as \`vm.addDisk\`. */
  readonly id: string;
  /** The HTTP method. */
  readonly method: "GET" | "PUT";
  /** The path of the URL. */
  readonly path: string;
  /** The deadline in milliseconds; \`Infinity\` is none. */
  readonly deadlineMs: number;
  /** It takes a body. */
  readonly hasBody: boolean;
  /** Whether a good answer has data always, at times, or never. */
  readonly returns: "data" | "maybe" | "nothing";
  /** Every number of the answer is a bigint. */
  readonly bigint: boolean;
  /** The connection may end before the answer, and that is no failure. */
  readonly mayClose: boolean;
}

/** Keeps the table short, which every script loads. */
function row(
  name: OperationName,
  id: string,
  method: "GET" | "PUT",
  deadlineMs: number,
  hasBody: boolean,
  returns: OperationRow["returns"],
  { bigint = false, mayClose = false } = {},
): OperationRow {
  const path = \`/api/v1/\${name}\`;
  return {
    name,
    id,
    method,
    path,
    deadlineMs,
    hasBody,
    returns,
    bigint,
    mayClose,
  };
}

/** Makes a call: what \`createClient\` gives the classes below. */
export type Call = (
  row: OperationRow,
  body: unknown,
  options?: CallOptions,
) => Promise<unknown>;`;
